// Denoising: an image at growing noise and what is made of it; on points of the plane the field, and points that follow it.
const FPS = 30; // steps of the animation a second

async function showDenoising(room) {
  const { info } = room, kind = room.noise ?? info.knobs.kind ?? 'gaussian', level = info.knobs.level ?? .3;
  const arrowsOn = map => ask(room, `arrows?kind=${kind}&level=${level}&map=${map}`), umap = room.map === 'umap';
  const [told, flat, onUmap, field] = await Promise.all([
    ask(room, 'noise', { kind, ...asImage(room.shown.A) }), umap && !room.fit ? null : arrowsOn('plane'), umap ? arrowsOn('umap') : null, info.plane ? ask(room, 'field') : null]);
  room.fit = onUmap?.fitting;
  const arrows = umap && !room.fit ? onUmap : flat ?? await arrowsOn('plane'); // what can be shown at once, while UMAP is fitted
  return async () => {
    const { $ } = room, select = $('.noise select');
    $('.wide.images').hidden = info.plane;
    $('.wide.plane').hidden = !info.plane;
    if (!select.children.length) select.append(...info.kinds.map(name => tag('option', { value: name }, name)));
    select.value = kind;
    select.onchange = () => { room.noise = select.value; room.post('tab', () => showTab(room)); };
    if (!info.plane) await drawLevels(room, told);
    psnrs(room, told);
    put($('[data-seg=map] [data-v=plane]'), info.k > 2 ? 'PCA' : 'Code');
    mapArrows(room, arrows);
    clearTimeout(room.polling);
    if (room.fit) room.polling = setTimeout(() => room.tab === 'denoising' && room.post('tab', () => showTab(room)), POLL);
    if (field) { room.field = field; drawField(room, room.flowAt ?? 0); }
  };
}

async function drawLevels(room, told) {
  const host = room.$('.levels'), look = [room.look.low, room.look.high], n = told.levels.length;
  const [noisy, restored] = await Promise.all([told.noisy, told.restored].map(url => strip(url, told.tile, room.ink, look)));
  if (host.children.length !== n + 1) host.replaceChildren(...['clean', ...told.levels].map(level => {
    const box = tag('figure');
    box.append(tag('figcaption', {}, level === 'clean' ? 'clean' : `level ${level}`));
    for (let i = 0; i < (level === 'clean' ? 1 : 2); i++) { const one = tag('span'); one.append(tag('canvas', { class: 'px', role: 'img', 'aria-label': level === 'clean' ? 'clean' : i ? `restored at level ${level}` : `corrupted at level ${level}` }), tag('small')); box.append(one); }
    return box;
  }));
  await drawPicture($(host.children[0], 'canvas'), told.clean, room);
  put($(host.children[0], 'small'), 'corrupted ↗  restored ↘'.replace(' ↗', ' above').replace(' ↘', ' below'));
  told.levels.forEach((_, i) => {
    const [above, below] = host.children[i + 1].querySelectorAll('canvas'), [before, after] = host.children[i + 1].querySelectorAll('small');
    noisy.show(above, i);
    restored.show(below, i);
    put(before, told.before[i] >= 100 ? 'exact' : `${told.before[i].toFixed(1)} dB`);
    put(after, `${told.after[i].toFixed(1)} dB`);
  });
  Object.assign(host.dataset, { before: told.before.join(','), after: told.after.join(','), kind: told.kind });
}

function psnrs(room, told) {
  const host = room.$('.plot.psnrs'), { levels } = told, line = values => levels.map((x, i) => [x, Math.min(values[i], 45)]).filter((_, i) => values[i] < 99);
  const all = [...told.all_before, ...told.all_after, ...told.after].filter(v => v < 99), y = span(all);
  plot(host, { x: { label: `noise level, ${told.kind}`, low: 0, high: levels.at(-1) }, y: { label: 'PSNR, dB', ...y, high: Math.min(y.high, 45) }, label: 'PSNR of corrupted and of restored images over the noise level',
    lines: [{ points: line(told.all_before), kind: 'held', name: 'corrupted' }, { points: line(told.all_after), kind: 'train', name: 'restored' }, { points: line(told.after), kind: 'past', name: 'this one' }] });
  Object.assign(host.dataset, { after: told.all_after.join(','), kind: told.kind });
  put(room.$('.nsub'), `over ${count(told.images)} held-out ${room.info.plane ? 'points' : 'images'}`);
}

// Another map of the same arrows; who goes back while UMAP is fitted ends the fit.
function mapOf(room, v) {
  const { fit } = room;
  if (fit && v !== 'umap') reach(new URL(`/explore/${encodeURIComponent(room.name)}/map/cancel`, document.baseURI), { method: 'POST', body: JSON.stringify({ job: fit.job }), headers: { 'Content-Type': 'application/json' } }).catch(() => {});
  Object.assign(room, { map: v, fit: null });
  press(room, 'map', v);
  room.post('tab', () => showTab(room));
}

// Where noisy images lie on the map of codes, and where the restored ones do.
function mapArrows(room, told) {
  const canvas = room.$('canvas.arrows'), W = canvas.parentElement.clientWidth, H = roomFor(room, canvas), c = ready(canvas, W, H);
  const every = [...told.places, ...told.start, ...told.end], [x, y] = [0, 1].map(d => span(every.map(place => place[d]), .04));
  const k = Math.min(W / (x.high - x.low), H / (y.high - y.low)), at = place => [W / 2 + (place[0] - (x.low + x.high) / 2) * k, H / 2 - (place[1] - (y.low + y.high) / 2) * k];
  const colours = Array.from({ length: 10 }, (_, i) => css(rgb(room.$('.stage'), `c${i}`))), single = !room.info.has_labels;
  told.places.forEach((place, i) => { c.globalAlpha = .35; dot(c, at(place), 1.8, single ? css(room.look.ink3) : colours[told.labels[i] % 10]); });
  told.start.forEach((from, i) => { c.globalAlpha = .8; arrow(c, at(from), at(told.end[i]), single ? css(room.look.accent) : colours[told.labels[i] % 10]); });
  c.globalAlpha = 1;
  const { fit } = room, left = fit?.seconds_left == null ? '' : `, ${Math.ceil(fit.seconds_left)} s left`;
  put(room.$('.asub'), fit ? `UMAP is being fitted: ${Math.round(100 * fit.fraction)} %${left}` : `from E(x̃) to E(r(x̃)), ${told.kind} ${told.level}; dots: clean`);
  Object.assign(canvas.dataset, { count: told.start.length, map: told.map, first: [...told.start[0], ...told.end[0]].join(',') });
}

// The arrows over the data, and the points that follow them, t steps on.
function drawField(room, t) {
  const { field, look, info } = room, canvas = room.$('canvas.field'), W = canvas.parentElement.clientWidth, H = Math.max(260, Math.min(room.$('.stage').getBoundingClientRect().bottom - canvas.getBoundingClientRect().top - 8, 460));
  const c = ready(canvas, W, H), side = Math.min(W, H) - 12, x0 = (W - side) / 2, at = ([x, y]) => [x0 + x * side, H - 6 - y * side];
  const lengths = field.arrows.map(([a, b]) => Math.hypot(a, b)).sort((a, b) => a - b), cell = 1 / (Math.sqrt(lengths.length) - 1);
  const scale = Math.min(1, 1.35 * cell / Math.max(lengths[Math.floor(.9 * lengths.length)], 1e-9));
  put(room.$('.fieldsub'), `arrows at ${Math.round(100 * scale)} % of their length; points flow along them`);
  c.globalAlpha = .8;
  for (const point of info.points) dot(c, at(point), 2, css(look.held));
  field.points.forEach((point, i) => arrow(c, at(point), at(point.map((v, d) => v + scale * field.arrows[i][d])), css(look.ink2), .9));
  c.globalAlpha = 1;
  const whole = Math.min(Math.floor(t), field.path.length - 2), share = Math.min(t - whole, 1);
  if (t > 0) field.path[whole].forEach((from, i) => dot(c, at(from.map((v, d) => v + share * (field.path[whole + 1][i][d] - v))), 2.4, css(look.accent)));
  Object.assign(canvas.dataset, { step: whole, arrows: field.points.length });
}

function flow(room) {
  cancelAnimationFrame(room.flowing);
  const started = performance.now(), last = room.field.path.length - 1, button = room.$('[data-do=flow]');
  const frame = now => {
    if (room.tab !== 'denoising' || !room.field) return;
    room.flowAt = Math.min(last, (now - started) / 1000 * FPS);
    drawField(room, room.flowAt);
    if (room.flowAt < last) room.flowing = requestAnimationFrame(frame); else put(button, 'Flow again');
  };
  room.flowing = requestAnimationFrame(frame);
}
