// The lens under the pointer, and the panel that holds what was clicked: exact picture, facts, nearest images.
const REST = 160; // ms until a resting pointer's place is decoded exactly
const FAR = .09;  // of the map: beyond this from any point the lens says so

// A point of the plane's data sets is two numbers, not a picture: it is drawn as a place.
function plotted(room, canvas) {
  const [x, , , , y] = canvas.getContext('2d').getImageData(0, 0, 2, 1).data, size = 192;
  Object.assign(canvas, { width: size, height: size });
  const c = canvas.getContext('2d');
  c.fillStyle = css(room.map.accent);
  c.beginPath();
  c.arc(x / 255 * size, (1 - y / 255) * size, 8, 0, 7);
  c.fill();
}

function show(room, canvas, sheet, i = 0) {
  sheet.show(canvas, i);
  if (room.plane) plotted(room, canvas);
}

function hover(room, at) {
  const { map, $, prefs } = room, lens = $('.lens'), host = $('.host'), big = prefs.lens ? $('.lens .big') : $('.hero');
  clearTimeout(room.resting);
  room.at = at;
  lens.hidden = !at || !prefs.lens || !room.thumbs;
  host.dataset.hover = at ? at.near : '';
  if (!at && room.followed) room.again?.();
  room.followed = at && !prefs.lens;
  if (!at || !room.thumbs) return;
  const started = performance.now(), grid = map.live ? null : map.grids[map.key];
  if (grid) {
    grid.blend(big, at.x, at.y);
    if (room.plane) plotted(room, big);
  } else show(room, big, room.thumbs, at.near);
  const say = (words, source) => {
    put($(prefs.lens ? '.lens .l1' : '.chip'), words);
    (prefs.lens ? lens : big).dataset.source = source;
  };
  const [x, y] = map.at(at.near), far = Math.hypot(map.sx(x) - at.px, map.sy(y) - at.py) / map.s > FAR;
  const name = room.info.has_labels ? (at.hot >= 0 ? '' : 'near ') + room.info.classes[map.labels[at.near]] : 'nearest';
  say(!grid ? 'image' : far ? 'far from any code' : 'decoded here', grid ? 'blend' : 'image');
  if (prefs.lens) {
    show(room, $('.lens .small'), room.thumbs, at.near);
    put($('.lens .l2'), name);
    beside(room, at);
  } else put($('.title'), `Under the pointer${room.info.has_labels ? ', ' + name : ''}`);
  room.blends = [...(room.blends ?? []).slice(-300), performance.now() - started];
  if (!grid || (inverting(room) && at.hot < 0)) return;
  room.resting = setTimeout(() => room.post('rest', async () => {
    if (room.at !== at || map.live) return;
    const told = await decoded(room, at.hot >= 0 ? { index: at.hot } : { x: at.x, y: at.y });
    if (!told || room.at !== at) return;
    show(room, big, told.sheet);
    say('exact', 'exact');
  }), REST);
}

// umap-learn's own way back takes seconds: for a click, never for a pointer that rests.
const inverting = room => room.ask.knobs.way === 'inverse' && room.ask.knobs.kind === 'umap';

// The lens beside the pointer, within the map.
function beside({ map, $ }, at) {
  const lens = $('.lens'), W = lens.offsetWidth, H = lens.offsetHeight, left = at.px + 20 + W > map.w ? at.px - W - 20 : at.px + 20;
  const above = at.py - H - 16, top = clamp(above < 50 ? at.py + 22 : above, 6, map.h - H - 6);
  lens.style.transform = `translate(${Math.max(4, Math.round(left))}px,${Math.round(top) + $('.host').offsetTop}px)`;
}

// The route's answer with its picture as a sheet of one tile; null where the question failed, which is then said.
async function decoded(room, question) {
  try {
    const told = await (await room.ask.post('decode', question)).json();
    return { ...told, sheet: await strip(told.image, null, room.ink, room.look) };
  } catch (error) { room.trouble(error); return null; }
}

function facts(room, rows) {
  room.$('.facts dl').replaceChildren(...rows.flatMap(([name, value, note]) => {
    const dd = tag('dd', {}, value);
    if (note) dd.append(' ', tag('small', {}, note));
    return [tag('dt', {}, name), dd];
  }));
}

function buttons(room, ...all) {
  room.$('.btns').replaceChildren(...all.map(([name, act]) => {
    const button = tag('button', { type: 'button' }, name);
    button.onclick = act;
    return button;
  }));
}

const ends = (room, pin) => buttons(room, ['Set as A', () => setPin(room, 'A', pin)], ['Set as B', () => setPin(room, 'B', pin)]);
const classOf = (room, i) => {
  const name = room.info.classes[room.map.labels[i]];
  return name.length > 2 ? name : `class ${name}`;
};
const named = (room, i) => room.info.has_labels ? room.info.classes[room.map.labels[i]] : `image ${room.points.index[i]}`;

// Rows of images: [[words, indices, note, class], ...]; with a class, the note counts those that share it.
function nearRows(room, title, rows) {
  const head = tag('div', { class: 'top' }), { map, thumbs, info } = room;
  head.append(tag('h2', {}, room.plane ? title.replace('images', 'points') : title), tag('span', { class: 'muted' }, info.has_labels && rows.some(row => row[3] != null) ? 'same class' : ''));
  room.$('.near').replaceChildren(head, ...rows.map(([words, list, note, own], k) => {
    const row = tag('div', { class: 'nrow', 'data-row': words, style: `--n:${Math.max(8, list.length)}` }), box = tag('div');
    for (const i of list) {
      const button = tag('button', { type: 'button', 'data-index': i, title: named(room, i), 'aria-label': `Image ${room.points.index[i]}, ${named(room, i)}` });
      const canvas = button.appendChild(tag('canvas', { class: 'px' }));
      box.append(button);
      button.style.setProperty('--k', info.has_labels ? `var(--ap-c${map.labels[i] % HUES})` : 'transparent');
      button.onclick = () => chooseIndex(room, i);
      show(room, canvas, thumbs, i);
    }
    const same = info.has_labels && own != null ? `${[...list].filter(i => map.labels[i] === own).length}/${list.length}` : note ?? '';
    row.append(tag('span', {}, words), box, tag('b', {}, same));
    return row;
  }));
}

function chooseIndex(room, index) {
  const [x, y] = room.map.at(index);
  room.map.chosen = { x, y, index, landed: null };
  room.map.over();
  choose(room, { x, y, index });
}

// At once what the browser knows; the exact answer replaces it when it comes.
function choose(room, place) {
  const { $, map, points, info } = room, hero = $('.hero'), mine = ++room.turn, grid = map.grids[map.key], i = place.index, started = performance.now();
  const slow = i < 0 && inverting(room); // what takes seconds goes by a way of its own: nothing else waits for it
  room.place = place;
  room.again = () => choose(room, place);
  $('.latent').classList.remove('walking');
  if (grid && i < 0) { grid.blend(hero, place.x, place.y); if (room.plane) plotted(room, hero); } else if (i >= 0 || map.hot >= 0) show(room, hero, room.thumbs, i);
  Object.assign(hero.dataset, { source: grid && i < 0 ? 'blend' : 'image', index: i, distance: '' });
  put($('.title'), i < 0 ? 'Decoded place' : `${room.plane ? 'Point' : 'Image'} ${count(points.index[i])}${info.has_labels ? ', ' + classOf(room, i) : ''}`);
  put($('.chip'), slow ? "UMAP's inverse: some seconds …" : '…');
  $('.host').dataset.chosen = i < 0 ? `${place.x.toFixed(4)},${place.y.toFixed(4)}` : i;
  (slow ? room.slow : room.post)('decode', async () => {
    if (mine !== room.turn) return;
    const told = await decoded(room, i < 0 ? { x: place.x, y: place.y } : { index: i });
    if (!told || mine !== room.turn) return;
    show(room, hero, told.sheet);
    const ms = performance.now() - started;
    (room.clicks ??= []).push(ms);
    Object.assign(hero.dataset, { source: 'exact', distance: told.distance.toFixed(4), ms: ms.toFixed(1) });
    put($('.chip'), i < 0 ? 'exact' : points.held_out[i] ? 'held out' : 'trained on');
    map.chosen = { x: place.x, y: place.y, index: i, landed: told.landed };
    map.over();
    const close = told.distance < .0005, lands = ['Encoded again, it lands', close ? 'here' : `${(100 * told.distance).toFixed(1)} %`, close ? '' : 'of the map away'];
    const own = i >= 0 ? map.labels[i] : majority(room, told.nearest);
    facts(room, i >= 0 ? [lands, ['Reconstruction', `${psnr(points.errors[i])} dB`, 'PSNR']]
      : [lands, ...(info.has_labels ? [['Class by its neighbours', info.classes[own], votes(room, told.nearest, own)]] : [])]);
    ends(room, i >= 0 ? { index: i } : { code: told.code, place: [place.x, place.y], sheet: told.sheet });
    steeredFrom(room, told.code);
    neighboursOf(room, i >= 0 ? { index: i } : { code: told.code }, own, mine);
  });
}

const psnr = error => (10 * Math.log10(1 / Math.max(error, 1e-10))).toFixed(1);
const votes = (room, list, own) => `${list.filter(k => room.map.labels[k] === own).length} of ${list.length}`;
const majority = (room, list) => {
  const tally = new Map();
  for (const i of list) tally.set(room.map.labels[i], (tally.get(room.map.labels[i]) ?? 0) + 1);
  return [...tally].sort((a, b) => b[1] - a[1])[0]?.[0];
};

// The nearest others, by code and by pixels; question: {index} or {code}.
function neighboursOf(room, question, own, mine) {
  room.post('neighbours', async () => {
    if (mine !== room.turn) return;
    const found = await room.ask.post('neighbours', question).then(answer => answer.json()).catch(() => null);
    if (!found || mine !== room.turn) return;
    const rows = room.plane ? ['code'] : ['code', 'pixels'];
    nearRows(room, 'Nearest images', rows.map(name => [`by ${name}`, found[name], '', own]));
  });
}

// The lasso's group: how many, which classes, the mean decoded, a walk through it, its worst.
function showGroup(room, hit) {
  const { $, map, info } = room, hero = $('.hero'), mine = ++room.turn;
  $('.host').dataset.group = hit.length;
  if (!hit.length) return;
  room.place = null;
  room.again = () => showGroup(room, hit);
  $('.latent').classList.remove('walking');
  put($('.title'), `${count(hit.length)} ${room.plane ? 'points' : 'images'} in the lasso`);
  put($('.chip'), '…');
  Object.assign(hero.dataset, { source: 'waiting', index: '', distance: '' });
  const bars = tag('div', { class: 'bars' }), tally = new Map();
  for (const i of hit) tally.set(map.labels[i], (tally.get(map.labels[i]) ?? 0) + 1);
  const sorted = [...tally].sort((a, b) => b[1] - a[1]);
  if (info.has_labels) for (const [c, many] of sorted.slice(0, 7)) {
    const row = tag('div'), bar = tag('i', { style: `width:${100 * many / sorted[0][1]}%;--k:var(--ap-c${c % HUES})` });
    row.append(tag('span', {}, info.classes[c]), bar, tag('em', {}, count(many)));
    bars.append(row);
  }
  $('.facts dl').replaceChildren(bars);
  buttons(room, ['Save as CSV', () => download(room, 'selection.csv', { indices: hit })]);
  room.post('group', async () => {
    let told;
    try { told = await (await room.ask.post('group', { indices: hit, steps: 10 })).json(); } catch (error) { return room.trouble(error); }
    if (mine !== room.turn) return;
    show(room, hero, await strip(told.mean, null, room.ink, room.look));
    Object.assign(hero.dataset, { source: 'mean', count: told.count });
    put($('.chip'), 'mean code, decoded');
    bars.append(tag('small', { class: 'muted' }, `Mean error: ${psnr(told.error)} dB PSNR`));
    map.chosen = { x: told.mean_place[0], y: told.mean_place[1], landed: null, index: -1 };
    map.over();
    steeredFrom(room, told.mean_code);
    nearRows(room, 'In the group', [['walk', told.walk_indices, ''], ['worst', told.worst, ''], ['nearest', told.nearest, '']]);
    const decodedWalk = await strip(told.walk, told.tile, room.ink, room.look);
    [...room.$('.nrow[data-row=walk]')?.querySelectorAll('canvas') ?? []].forEach((canvas, k) => decodedWalk.show(canvas, k));
  });
}

async function download(room, path, question) {
  try {
    const answer = await (question ? room.ask.post(path, question) : room.ask.get(path));
    saved(await answer.blob(), path.replace('export.', 'latent-map.'));
  } catch (error) { room.trouble(error); }
}

function saved(blob, name) {
  const link = tag('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
