// The Paint page. data: {choices, start, datasets, noises, own, problems}; out: trigger `act` {do: set, ...}.
const ROOM = { tool: 'brush', size: 4, way: 'fill', kind: 'gaussian', level: .3, seed: 1, shown: 'model', compare: false, model: '', chosen: false };
const GROUPS = { inpaint: 'Trained to fill', project: 'Projection onto what an autoencoder can express', classical: 'Without learning', denoise: 'Trained to remove noise', reconstruct: 'Plain autoencoders (reconstruction)' };
const FITS = { fill: ['inpaint', 'project', 'classical'], noise: ['denoise', 'reconstruct'] };
const HUSH = 12000; // ms an error stays

export default function ({ data, parentElement: root, setTriggerValue }) {
  const room = bus.once(root, open);
  room.act = asked => setTriggerValue('act', { ...asked, at: Date.now() });
  const first = !room.data;
  room.data = data;
  room.chooser();
  if (first) arrive(room);
}

function open(root) {
  const $ = query => root.querySelector(query), all = query => [...root.querySelectorAll(query)], section = $('.paint');
  const saved = kept.read(), room = { root, $, all, section, view: new View(), turn: 0, made: {}, acts: {}, saved, ...ROOM };
  for (const name of Object.keys(ROOM)) if (saved[name] != null) room[name] = saved[name];
  room.probe = section.appendChild(tag('i', { hidden: '' }));

  room.say = (words, alert = false, more = null) => {
    const box = $('.notice');
    clearTimeout(room.hushing);
    box.hidden = !words;
    box.classList.toggle('alert', alert);
    box.setAttribute('role', alert ? 'alert' : 'status');
    put($('.notice .words'), words);
    if (words && !more) room.hushing = setTimeout(() => room.say(''), HUSH);
  };
  room.trouble = error => { if (section.dataset.status !== 'ready') section.dataset.status = 'trouble'; room.say(error.message, true); };
  room.painted = began => { keep(room); work(room, began); };
  room.hold = on => {
    if (room.held === on) return;
    room.held = on;
    $('.hold').setAttribute('aria-pressed', on);
    room.draw();
  };
  room.choose = (name, value) => {
    room[name] = value;
    for (const b of all(`[data-seg=${name}] button`)) b.setAttribute('aria-pressed', b.dataset.v === value);
    if (name === 'tool') Object.assign(room, { corner: null, rectangle: null });
    if (name === 'shown') room.measure();
    if (room.facts) { room.draw(); keep(room); }
  };
  // The slider runs from 1 pixel to a third of the picture, finer at the small end.
  const most = () => Math.max(8, Math.max(room.view.w, room.view.h) / 3);
  room.resize = by => {
    const step = by * Math.max(1, Math.round(room.size / 8));
    room.size = clamp(Math.round(room.size + step), 1, Math.round(most()));
    $('.size input').value = 100 * Math.log(room.size) / Math.log(most());
    put($('.size output'), `${room.size} px`);
    room.draw();
  };
  $('.size input').oninput = e => { room.size = Math.round(most() ** (e.target.value / 100)); room.resize(0); };

  paintShow(room);
  paintHands(room);
  paintKeys(room);
  paintBring(room);
  paintPad(room);
  models(room);
  controls(room);
  return room;
}

// Which model: the list for what is done now, and the one that suits a picture as long as nobody chose.
function models(room) {
  const { $ } = room, key = one => `${one.use}:${one.name}`;
  const those = () => room.data.choices.filter(one => FITS[room.way].includes(one.use));
  room.choice = () => those().find(one => key(one) === room.model) ?? null;
  room.suit = (data = room.facts?.data ?? room.data.start.data) => {
    if (room.chosen && room.choice()) return;
    const rank = one => [one.use !== 'classical' && one.data === data ? 0 : 1, FITS[room.way].indexOf(one.use), one.own ? 0 : 1];
    const sorted = [...those()].sort((a, b) => { const x = rank(a), y = rank(b), k = x.findIndex((v, i) => v !== y[i]); return k < 0 ? 0 : x[k] - y[k]; });
    // a model of other pictures is no match for a plain fill: where none suits, those without learning come first
    const fit = sorted[0]?.data === data || room.way === 'noise' || !data ? sorted[0] : sorted.find(one => one.use === 'inpaint') ?? sorted.find(one => one.use === 'classical') ?? sorted[0];
    room.model = fit ? key(fit) : '';
    shown();
  };
  const shown = () => {
    const one = room.choice(), select = $('.model select');
    select.value = room.model;
    put($('.f2 .name'), one ? { inpaint: 'Filled', project: 'Projected', classical: one.title.split(',')[0], denoise: 'Denoised', reconstruct: 'Reconstructed' }[one.use] : 'Result');
    put($('.about'), one ? one.use === 'classical' ? 'no learning' : one.title : '');
    $('.about').title = one?.title ?? '';
  };
  room.chooser = () => {
    const select = $('.model select'), groups = new Map(), list = those();
    for (const use of FITS[room.way]) for (const one of list.filter(found => found.use === use)) {
      if (!groups.has(use)) groups.set(use, tag('optgroup', { label: GROUPS[use] }));
      groups.get(use).append(tag('option', { value: key(one) }, one.own ? `${one.title} (your run)` : one.title));
    }
    select.replaceChildren(...groups.values());
    select.disabled = !list.length;
    const link = $('.train'), wanted = room.way === 'noise' ? 'denoise' : 'inpaint', lacks = !list.some(one => one.use === wanted);
    link.hidden = !lacks || !room.data.train[wanted];
    link.href = new URL(room.data.train[wanted], document.baseURI);
    put(link, room.way === 'noise' ? 'Train a denoising autoencoder' : 'Train a model to fill');
    room.suit();
    shown();
  };
  $('.model select').onchange = e => {
    Object.assign(room, { model: e.target.value, chosen: true });
    shown();
    room.made = {};
    keep(room);
    room.tell();
    work(room, performance.now());
  };
}

function controls(room) {
  const { $, all } = room;
  Object.assign(room.acts, {
    undo: () => room.hole.undo() && room.painted(performance.now()), redo: () => room.hole.redo() && room.painted(performance.now()),
    invert: () => { if (room.hole.change(() => room.hole.invert())) room.painted(performance.now()); },
    clear: () => { if (room.hole.change(() => room.hole.clear())) room.painted(performance.now()); },
    in: () => room.zoomBy(1.6), out: () => room.zoomBy(1 / 1.6), fit: () => { room.view.reset(room.hole.w, room.hole.h); room.draw(); },
    hush: () => room.say(''), original: () => {},
    reseed: () => { room.seed = (room.seed + 1) % 2 ** 31; keep(room); work(room); },
    stop: () => reach(desk(room, 'stop'), { method: 'POST' }).catch(() => {}),
  });
  for (const b of all('[data-do]')) b.onclick = () => { if (room.facts || ['hush', 'draw', 'upload', 'camera', 'leave', 'wipe', 'take'].includes(b.dataset.do)) { room.acts[b.dataset.do](); room.draw(); } };
  for (const name of ['tool', 'shown']) for (const b of all(`[data-seg=${name}] button`)) b.onclick = () => room.choose(name, b.dataset.v);
  for (const b of all('[data-seg=way] button')) b.onclick = () => {
    if (room.way === b.dataset.v) return;
    Object.assign(room, { chosen: false, made: {}, noisy: null, shown: 'model' });
    way(room, b.dataset.v);
    if (room.way === 'noise' && room.hole?.count) room.hole.change(() => room.hole.clear()); // everywhere, until somebody paints
    room.tell();
    if (room.facts) { keep(room); room.draw(); work(room); }
  };
  const hold = $('.hold');
  hold.onpointerdown = () => room.hold(true);
  hold.onpointerup = hold.onpointerleave = hold.onpointercancel = hold.onblur = () => room.hold(false);
  hold.onkeydown = e => { if (e.key === ' ' || e.key === 'Enter') { e.preventDefault(); room.hold(true); } };
  hold.onkeyup = () => room.hold(false);
  const kind = $('.noise select'), level = $('.noise input');
  kind.onchange = () => { room.kind = kind.value; room.tell(); keep(room); work(room, performance.now()); };
  level.oninput = () => { room.level = Number(level.value); put($('.noise output'), level.value); };
  level.onchange = () => { room.tell(); keep(room); work(room, performance.now()); };
  $('.truth input').onchange = e => { room.compare = e.target.checked; keep(room); work(room); };
  room.told = () => {
    $('.truth input').checked = room.compare;
    const { data } = room.facts ?? {};
    if (data) $('.data').value = data;
  };
  // What the address bar is to hold.
  room.tell = () => {
    const choice = room.choice(), { data = '', index = 0 } = room.facts ?? {};
    room.act({ do: 'set', way: room.way, model: choice?.name ?? '', use: choice?.use ?? '', data, index, kind: room.kind, level: room.level });
  };
}

function way(room, name) {
  const { $ } = room;
  room.choose('way', name);
  room.section.dataset.way = name;
  $('.noise').hidden = name !== 'noise';
  put($('.f1 h2'), name === 'noise' ? 'Noisy picture' : 'Paint a hole');
  for (const b of room.all('[data-seg=shown] button')) b.hidden = name === 'noise' && b.dataset.v !== 'model';
  room.chooser();
}

// The first picture: what this tab had before, else what the link says, else the first one that suits.
async function arrive(room) {
  const { $, data, saved } = room, { start } = data, memory = window.__apPaint;
  $('.noise select').replaceChildren(...data.noises.map(one => tag('option', { value: one.name, title: one.help }, one.title)));
  $('.data').replaceChildren(...data.datasets.map(one => tag('option', { value: one.name }, one.title)));
  const linked = name => !memory && start.linked.includes(name); // what the link says goes before what this tab kept
  const other = linked('data') && (saved.spec?.data !== start.data || saved.spec?.index !== start.index), fresh = !saved.desk || other;
  for (const name of ['way', 'kind', 'level']) if (fresh || linked(name)) room[name] = start[name];
  if (start.model && (fresh || !memory)) Object.assign(room, { model: `${start.use}:${start.model}`, chosen: true });
  $('.noise select').value = room.kind;
  $('.noise input').value = room.level;
  put($('.noise output'), String(room.level));
  for (const name of ['tool', 'shown']) room.choose(name, room[name]);
  way(room, room.way);
  $('.data').value = (fresh ? start.data : saved.spec?.data ?? saved.strip) || start.data;
  if (data.problems.length) room.say(data.problems[0]);
  try {
    if (!fresh) {
      const answer = await reach(new URL(`/paint/desk/${saved.desk}`, document.baseURI));
      const facts = answer.ok ? await answer.json() : await again(room, saved);
      if (facts) {
        Object.assign(room, { image: saved.image, file: saved.file });
        const hole = memory?.desk === saved.desk && memory.hole.w === facts.width && memory.hole.h === facts.height ? memory.hole : null;
        const mask = room.way === (saved.way ?? room.way) ? saved.mask ?? facts.mask : ''; // one to fill would be all that noise is put in
        await Promise.all([room.open(facts, mask, hole), room.strip(16 * Math.floor((facts.index ?? 0) / 16))]);
        return room.tell();
      }
    }
    const lost = !fresh;
    const strip = room.strip(16 * Math.floor(start.index / 16));
    await Promise.all([strip, room.bring({ data: start.data, index: start.index, like: data.datasets.find(one => one.name === start.data)?.like ?? '' })]);
    if (lost) room.say(LOST, true);
  } catch (error) { room.trouble(error); }
}
