// The Latent space page. data: {name, own, live, choices, knobs, start, linked, problems}; out: trigger `act`.
const POLL = 350, PROBLEM = 9000; // ms
const prefs = (window.__apLatent ??= { backdrop: 'density', marks: 'dots', colour: 'class', tab: 'steer', how: 'straight', axes: 'directions', lens: true });
const remembered = (window.__apLatentPins ??= new Map());
const NAMES = { pca: 'PCA', umap: 'UMAP', plane: 'Plane', entries: 'Entries' };

export default function ({ data, parentElement: root, setTriggerValue }) {
  const room = bus.once(root, open);
  room.act = asked => setTriggerValue('act', { ...asked, at: Date.now() });
  const other = room.name !== data.name;
  room.data = data;
  if (data.live) bus.follow(data.name);
  chooser(room);
  root.querySelector('.latent').classList.toggle('none', !data.name);
  if (!data.name) { room.name = ''; return nothing(room); }
  if (!other) return;
  room.knobs = { ...data.start };
  room.name = data.name;
  load(room, true);
}

function open(root) {
  const $ = query => root.querySelector(query), all = query => [...root.querySelectorAll(query)];
  const room = { root, $, all, turn: 0, prefs, how: prefs.how, post: courier(), slow: courier(), data: { knobs: [] } };
  const end = (k, index, moving) => index >= 0 && setPin(room, k, { index }, moving);
  const known = act => (...args) => room.info && act(...args); // while another model loads, the map before it only looks on
  room.map = new LatentMap($('.host'), {
    hover: known(at => hover(room, at)), choose: known(place => choose(room, place)), group: known(hit => showGroup(room, hit)), pin: known(end),
    end: known(index => { end(room.nextEnd, index); room.nextEnd === 'A' ? room.nextEnd = 'B' : tool(room, 'move'); }),
    lens: () => lens(room), arrived: known(() => arrived(room)), theme: () => themed(room), clear: () => { $('.host').dataset.group = 0; },
  });
  room.look = [rgb($('.mapbox'), 'low'), rgb($('.mapbox'), 'high')];
  room.status = word => { $('.latent').dataset.status = word; };
  room.say = (words, { alert = false, verb = '', act = null, fraction = null } = {}) => {
    const box = $('.notice'), button = $('.notice .verb');
    clearTimeout(room.hush);
    box.hidden = !words;
    box.classList.toggle('alert', alert);
    box.setAttribute('role', alert ? 'alert' : 'status');
    put($('.notice .words'), words);
    button.hidden = !verb;
    put(button, verb);
    button.onclick = act;
    $('.notice .bar').hidden = fraction === null;
    $('.notice .bar b').style.width = `${100 * (fraction ?? 0)}%`;
  };
  room.alerting = () => !$('.notice').hidden && $('.notice').classList.contains('alert'); // what went wrong stays until it is read
  room.trouble = error => {
    if (!room.info) { room.status('trouble'); return room.say(error.message, { alert: true, verb: 'Try again', act: () => load(room) }); }
    room.say(error.message, { alert: true, verb: 'Close', act: () => room.say('') });
    room.hush = setTimeout(() => { room.say(''); greet(room); }, PROBLEM);
  };
  room.cancelFit = () => {
    if (room.job) room.ask.post('map/cancel', { job: room.job }).catch(() => {});
    room.job = null;
    clearTimeout(room.polling);
  };
  room.keep = () => room.act({ do: 'knobs', knobs: { ...room.knobs }, chosen: Boolean(room.wish) });
  room.tellHow = () => put($('.how'), room.learning ? '' : wayBack(room));
  makeTabs(room);
  makePad(room);
  wire(room);
  bus.listen($('.latent'), run => hear(room, run));
  return room;
}

function wire(room) {
  const { $, all, map } = room;
  const acts = {
    lens: () => lens(room), lasso: () => tool(room, map.tool === 'lasso' ? 'move' : 'lasso'), ends: () => tool(room, map.tool === 'ends' ? 'move' : 'ends'),
    in: () => map.zoomBy(1.6), out: () => map.zoomBy(1 / 1.6), fit: () => map.fit(), walk: () => play(room), surprise: () => surprise(room),
    form: b => form(room, b.getAttribute('aria-pressed') !== 'true'), unform: () => form(room, false), play: () => playForm(room, !room.film),
    wipe: () => room.pad.wipe(), upload: () => room.pad.upload(), camera: () => room.pad.camera(),
  };
  for (const b of all('[data-do]')) b.onclick = () => room.info && acts[b.dataset.do](b); // without a map there is nothing to do
  for (const b of all('[data-save]')) b.onclick = () => room.info && (b.dataset.save === 'png' ? savePng(room) : download(room, `export.${b.dataset.save}`));
  const segments = {
    backdrop: v => { map.backdrop = prefs.backdrop = v; map.draw(); }, marks: v => { map.marks = prefs.marks = v; map.draw(); },
    how: v => { room.how = prefs.how = v; askWalk(room); }, axes: v => { prefs.axes = v; makeSliders(room); },
  };
  for (const [name, set] of Object.entries(segments)) for (const b of all(`[data-seg=${name}] button`)) {
    b.onclick = () => { press(room, name, b.dataset.v); set(b.dataset.v); };
  }
  for (const name of Object.keys(segments)) press(room, name, prefs[name]);
  lens(room, prefs.lens);
  Object.assign(map, { backdrop: prefs.backdrop, marks: prefs.marks });
  $('.film input').oninput = e => { play(room, false); setShare(room, Number(e.target.value)); };
  $('.colour select').onchange = e => { prefs.colour = e.target.value; recolour(room); };
  $('.model select').onchange = e => room.act({ do: 'choose', name: e.target.value });
}

const press = (room, name, v) => { for (const b of room.all(`[data-seg=${name}] button`)) b.setAttribute('aria-pressed', b.dataset.v === v); };

function tool(room, name) {
  room.map.tool = name;
  if (room.map.drawing) room.map.clear(); // a line that was begun by keys
  room.nextEnd = 'A';
  for (const k of ['lasso', 'ends']) room.$(`[data-do=${k}]`).setAttribute('aria-pressed', name === k);
}

// A run without a code has no map: words instead, and what to do.
function nothing(room) {
  room.status('none');
  room.say(room.data.nothing, { verb: 'Train an autoencoder', act: () => location.assign(new URL('/', document.baseURI)) });
}

// Without the lens the panel's picture follows the pointer, and nothing lies over the map.
function lens(room, on = !prefs.lens) {
  prefs.lens = on;
  room.$('[data-do=lens]').setAttribute('aria-pressed', on);
  if (room.map.pos) room.map.leave();
}

function chooser(room) {
  const select = room.$('.model select'), groups = new Map();
  for (const one of room.data.choices) {
    if (!groups.has(one.group)) groups.set(one.group, tag('optgroup', { label: one.group }));
    groups.get(one.group).append(tag('option', { value: one.name }, one.title));
  }
  select.replaceChildren(...groups.values());
  select.disabled = !room.data.choices.length;
  if (!room.data.name) select.prepend(tag('option', { value: '' }, select.disabled ? 'None yet' : 'Choose a model'));
  select.value = room.data.name;
}

// A model's space, as its weights are now ----------------------------------------------------------------------------

async function load(room, first = false) {
  const turn = room.loading = {}, { $, map } = room, gone = () => room.loading !== turn;
  room.cancelFit();
  room.learning = false;
  room.status('loading');
  if (first) {
    for (const one of ['info', 'frame', 'seen', 'places', 'place', 'code', 'directions', 'sliders', 'home', 'again']) room[one] = null;
    room.turn++; // answers about the model before are dropped
    clearTimeout(room.resting);
    $('.host').dataset.status = 'loading';
    room.say('Encoding the images …');
  }
  const ask = new Asker(room.name), asked = room.wish ?? (room.data.linked ? room.knobs.kind : '');
  try {
    const info = await ask.json('', { count: room.knobs.count });
    if (gone()) return;
    const flat = info.kinds.includes(asked) && asked !== 'umap' ? asked : info.kinds.includes('plane') ? 'plane' : 'pca';
    Object.assign(ask, { digest: info.digest, knobs: { ...room.knobs, kind: flat } });
    const plane = isPlane(info.shape), same = room.info && map.labels && room.source === room.name && room.info.m === info.m;
    const [points, sheet, chart] = await Promise.all([ask.arrays('points.bin'), same ? null : ask.get('thumbnails'), ask.json('map')]);
    const bitmap = sheet && await createImageBitmap(await sheet.blob());
    if (gone()) return;
    Object.assign(room, { ask, info, points, plane, scores: null, scoredFor: '', walk: null, source: room.name });
    if (bitmap) room.ink = !plane && onBlack(bitmap, info.thumb, info.columns, info.m);
    if (bitmap) room.thumbs = new Sheet(bitmap, info.thumb, info.columns, room.ink, room.look);
    const pins = same ? map.pins : remembered.get(room.name), before = same ? map.pos : null;
    $('.latent').style.setProperty('--cells', room.ink ? 'var(--ap-low)' : '');
    $('.latent').classList.remove('learning');
    map.begin({ labels: points.labels, thumbs: room.thumbs, classes: info.classes, plane, line: info.k === 1 });
    map.pos = before;
    room.wanted = ask.knobs.kind;
    kindButtons(room);
    colourChoices(room);
    await recolour(room);
    const keys = 'Arrow keys move a cursor, Enter decodes (with the lasso: begins and closes its line), A and B set the ends of the walk, plus and minus zoom, L shows or hides the lens, Escape clears.';
    $('.host').setAttribute('aria-label', `Map of the codes of ${count(info.m)} images. ${keys}`);
    room.pinned = pins?.A?.index < info.m && pins?.B?.index < info.m ? { A: pins.A, B: pins.B } : null;
    place(room, chart);
    later(room, turn);
  } catch (error) { if (!gone()) room.trouble(error); }
}

// What can wait until the map is there.
async function later(room, turn) {
  const { knobs, info } = room, run = bus.run?.job === room.name ? bus.run : null;
  await Promise.all([loadGrid(room), loadDirections(room)]);
  if (room.loading !== turn) return;
  const wide = info.k > 2 && info.m >= 10, chosen = room.wish ?? (room.data.linked ? knobs.kind : ''), settled = !['running', 'paused', 'ready', 'opening'].includes(run?.status ?? info.status);
  if ((chosen ? chosen === 'umap' : wide && settled) && info.step !== 0 && run?.status !== 'running') setKind(room, 'umap', false);
  offerHistory(room);
}

function place(room, chart) {
  const key = JSON.stringify([room.ask.digest, room.ask.knobs]);
  room.home = { key, places: floats(chart.places) };
  Object.assign(room, { chart });
  room.tellHow();
  if (room.map.key !== key || !room.map.places[key]) return room.map.show(key, room.home.places);
  greet(room);
}

function arrived(room) {
  const { map, $, info, ask } = room;
  if (!map.pins.A) room.pinned ? map.pins = room.pinned : firstPins(room);
  remembered.set(room.name, map.pins);
  Object.assign($('.host').dataset, { status: 'ready', kind: ask.knobs.kind, points: map.n, group: 0 });
  room.status('ready');
  greet(room);
  askWalk(room);
  if (!room.place || room.place.index >= 0) chooseIndex(room, Math.min(room.place?.index ?? map.pins.A?.index ?? 0, info.m - 1));
  if (prefs.tab === 'scores') loadScores(room);
}

// What the page says by itself: what went wrong with the link, or what to do first.
function greet(room) {
  if (room.job || room.learning || room.alerting()) return;
  const { info, data } = room, problem = data.problems[0] ?? info.notes[0] ?? '';
  if (problem) return room.say(problem, { verb: 'Close', act: () => { data.problems = info.notes = []; room.say(''); greet(room); } });
  if (info.step === 0 && data.own) {
    const words = 'Codes of random weights: nothing has been learnt yet. Train, and watch the map form.';
    return room.say(words, { verb: 'Train', act: () => room.act({ do: 'train' }) });
  }
  room.say('');
}

async function setKind(room, kind, mine = true) {
  const { map, knobs, info } = room, asked = { ...knobs, kind };
  room.cancelFit();
  room.wanted = kind;
  if (mine) { room.wish = room.knobs.kind = kind; room.keep(); }
  kindButtons(room);
  const turn = room.loading, poll = async () => {
    let told;
    if (!room.$('.latent').isConnected) return; // the page was left: the fit goes on and is there on return
    try { told = await room.ask.json('map', asked); } catch (error) {
      if (room.wanted === kind && room.loading === turn) { back(); room.trouble(error); }
      return;
    }
    if (room.wanted !== kind || room.loading !== turn || room.learning) return;
    if (told.status === 'fitting') {
      room.job = told.job;
      room.$('.host').dataset.fitting = 'true';
      const left = told.seconds_left == null ? '' : `, about ${Math.max(1, Math.round(told.seconds_left))} s left`;
      const cancel = () => { room.cancelFit(); back(); greet(room); };
      if (!room.alerting()) room.say(`Fitting UMAP to ${count(info.m)} codes${left}`, { fraction: told.fraction ?? 0, verb: 'Cancel', act: cancel });
      room.polling = setTimeout(poll, POLL);
      return;
    }
    room.job = null;
    delete room.$('.host').dataset.fitting;
    room.ask.knobs = asked;
    if (told.note && !room.data.problems.length) room.info.notes = told.exact || kind === 'umap' ? room.info.notes : [];
    if (!room.alerting()) room.say('');
    place(room, told);
    loadGrid(room);
  };
  const back = () => { room.wanted = room.ask.knobs.kind; delete room.$('.host').dataset.fitting; kindButtons(room); };
  if (!room.$('.scrub').hidden) form(room, false);
  await poll();
}

async function loadGrid(room) {
  const { ask, map } = room, key = room.home.key;
  if (map.grids[key]) return;
  try {
    const made = await ask.sheet('grid', { side: 64 }, room.ink, room.look);
    map.grids[key] = made(room.info.thumb);
    map.grids[key].side = 64;
    room.$('.host').dataset.grid = 'ready';
    if (map.backdrop === 'decoded') map.draw();
  } catch { /* without it the lens shows the nearest image */ }
}

function kindButtons(room) {
  room.$('[data-seg=kind]').replaceChildren(...room.info.kinds.map(kind => {
    const button = tag('button', { type: 'button', 'data-v': kind, 'aria-pressed': room.wanted === kind }, NAMES[kind]);
    button.onclick = () => setKind(room, kind);
    return button;
  }));
  makeKnobs(room);
}

function wayBack(room) {
  const { chart, info, ask } = room, k = info.k, kind = ask.knobs.kind, note = chart?.note ?? '';
  if (kind === 'umap' && chart?.exact) return note; // PCA stands in
  if (kind === 'umap') {
    const near = 'the 40 nearest codes, weighted by distance', back = inverting(room) ? `its own inverse for a click among the points, else ${near}` : near;
    return [`Way back from UMAP: ${back}`, note].filter(Boolean).join('. ');
  }
  if (kind === 'plane') return note || 'The code itself: every place is a code';
  const share = chart?.spread?.length ? `, ${Math.round(100 * (chart.spread[0] + chart.spread[1]))} % of the variance` : '';
  if (note) return note;
  return kind === 'pca' ? `Way back from PCA: the plane itself, 2 of ${k} directions${share}`
    : `Entries ${ask.knobs.first + 1} and ${ask.knobs.second + 1} of ${k}; the others at their mean`;
}

function themed(room) {
  room.look = [rgb(room.$('.mapbox'), 'low'), rgb(room.$('.mapbox'), 'high')];
  for (const sheet of [room.thumbs, ...Object.values(room.map.grids ?? {}), room.walk?.code, room.walk?.pixels]) sheet?.theme(room.look);
  if (!room.info) return;
  recolour(room);
  room.pad.theme();
  askWalk(room);
  room.again?.();
}
