// The Inside page. data: {name, own, live, choices, tab, problems}; out: trigger `act`.
const LIVE = { layers: 350, sparse: 350, chain: 1200, code: 2000, contractive: 2000, denoising: 2000, undercomplete: 4000 }; // ms between two looks while it learns
const TRIES = 40, AGAIN = 500; // while a run is being made; ms between two
const TITLES = { layers: 'Layers', code: 'Code entries', sparse: 'Sparsity', contractive: 'Contraction', denoising: 'Denoising', undercomplete: 'Code size', chain: 'Back-propagation' };
const SHOW = { layers: showLayers, code: showCode, sparse: showSparse, contractive: showContractive, denoising: showDenoising, undercomplete: showSizes, chain: showChain };
const remembers = (window.__apInside ??= { tab: '', images: new Map() });

export default function ({ data, parentElement: root, setTriggerValue }) {
  const room = bus.once(root, open);
  room.act = asked => setTriggerValue('act', { ...asked, at: Date.now() });
  const other = room.name !== data.name;
  room.data = data;
  if (data.live) bus.follow(data.name);
  chooseModel(room);
  if (!other) return;
  if (data.tab) remembers.tab = data.tab;
  room.name = data.name;
  load(room);
}

function open(root) {
  const $ = query => root.querySelector(query), all = query => [...root.querySelectorAll(query)];
  const room = { root, $, all, post: courier(), pass: courier(), poll: courier(), data: {}, side: 'A', layer: 0, entry: 0, way: 'column', map: 'plane', shown: { A: { index: 0 }, B: { index: 1 } }, turn: 0 };
  room.look = looks($('.stage'));
  for (const b of all('[data-seg] button')) b.onclick = () => ({ source: sourceOf, side: sideOf, way: wayOf, map: mapOf })[b.parentElement.dataset.seg](room, b.dataset.v);
  press(room, 'source', 'held');
  press(room, 'side', 'A');
  press(room, 'way', 'column');
  press(room, 'map', 'plane');
  pickBy(room);
  walkBy(room);
  $('[data-do=twin]').onclick = () => trainTwin(room);
  $('[data-do=sizes]').onclick = () => trainSizes(room);
  $('[data-do=flow]').onclick = () => flow(room);
  $('.net').onscroll = () => room.info && edges(room);
  const again = framed(() => redraw(room));
  new ResizeObserver(again).observe($('.stage'));
  onTheme(() => { room.look = looks($('.stage')); for (const sheet of [room.sheet, room.passed?.x, room.passed?.y]) sheet?.theme([room.look.low, room.look.high]); room.pad.theme(); redraw(room); });
  bus.listen($('.inside'), run => hear(room, run));
  return room;
}

const press = (room, name, v) => { for (const b of room.all(`[data-seg=${name}] button`)) b.setAttribute('aria-pressed', b.dataset.v === v); };
const sideOf = (room, v) => { room.side = v; press(room, 'side', v); };
const wayOf = (room, v) => { room.way = v; press(room, 'way', v); room.post('tab', () => showTab(room)); };

function address(room, path = '') { return new URL(`/inspect/${encodeURIComponent(room.name)}${path ? '/' + path : ''}`, document.baseURI); }

async function ask(room, path, question) {
  const settings = question === undefined ? {} : { method: 'POST', body: JSON.stringify(question), headers: { 'Content-Type': 'application/json' } };
  return (await answered(await reach(address(room, path), settings))).json();
}

function say(room, words, alert = false) {
  const box = room.$('.notice');
  box.hidden = !words;
  box.setAttribute('role', alert ? 'alert' : 'status');
  box.classList.toggle('alert', alert);
  put(box, words);
}

function trouble(room, error) {
  if (error instanceof TypeError || error instanceof ReferenceError) console.error(error);
  say(room, error.message, true);
  clearTimeout(room.hush);
  room.hush = setTimeout(() => say(room, room.info?.lacking ?? ''), 9000);
}

async function load(room) {
  const turn = ++room.turn, { $ } = room;
  $('.inside').dataset.status = 'loading';
  say(room, 'Loading the images …');
  try {
    const info = await ask(room, '');
    if (turn !== room.turn) return;
    const kept = remembers.images.get(room.name), second = info.labels.findIndex(label => label !== info.labels[0]);
    Object.assign(room, { info, passed: null, chain: null, field: null, pca: null, filters: null, flowAt: 0, noise: null, entry: Math.min(room.entry, Math.max(0, info.k - 1)), layer: 0, chainLayer: 0 });
    room.shown = kept ?? { A: { index: 0 }, B: { index: Math.max(1, second) } };
    remembers.images.set(room.name, room.shown);
    $('.net .row').replaceChildren();
    $('.noise select').replaceChildren();
    sourceOf(room, 'held');
    say(room, info.lacking);
    tabs(room);
    await loadStrip(room);
    if (turn !== room.turn) return;
    await forward(room);
    openTab(room, info.sections.includes(remembers.tab) ? remembers.tab : info.sections[0], false);
    $('.inside').dataset.status = 'ready';
    if (bus.run) hear(room, bus.run);
    room.tries = 0;
  } catch (error) {
    if (turn !== room.turn) return;
    const opens = !bus.run || bus.run.job !== room.name || ['opening', 'ready'].includes(bus.run.status);
    room.tries = (room.tries ?? 0) + 1;
    if (room.data.live && opens && room.tries < TRIES) return void setTimeout(() => turn === room.turn && load(room), AGAIN); // the run is still being made
    $('.inside').dataset.status = 'trouble';
    trouble(room, error);
  }
}

function tabs(room) {
  room.$('.tabs').replaceChildren(...room.info.sections.map(name => {
    const button = tag('button', { type: 'button', role: 'tab', 'data-name': name }, TITLES[name]);
    button.onclick = () => openTab(room, name);
    return button;
  }));
}

function openTab(room, name, told = true) {
  clearTimeout(room.polling);
  Object.assign(room, { tab: name, draw: null });
  if (told) { remembers.tab = name; room.act({ do: 'tab', name }); }
  for (const b of room.all('.tabs button')) b.setAttribute('aria-selected', b.dataset.name === name);
  for (const panel of room.all('[data-tab]')) panel.hidden = panel.dataset.tab !== name;
  room.$('[data-seg=side]').hidden = name !== 'sparse';
  if (name !== 'sparse') sideOf(room, 'A');
  if (name !== 'chain') { playChain(room, false); room.chainLayer = 0; }
  markStrip(room);
  if (room.passed) drawNet(room);
  room.post('tab', () => showTab(room));
}

// Ask what the open tab shows, and draw it, unless something else is shown by then.
async function showTab(room) {
  const { tab, turn } = room, image = room.shown.A.index ?? 'own', panel = room.$(`[data-tab=${tab}]`);
  if (!room.info || !tab) return;
  if (panel.dataset.of !== `${turn}`) { panel.dataset.of = turn; panel.classList.add('waiting'); }
  try {
    const draw = await SHOW[tab](room);
    if (tab !== room.tab || turn !== room.turn) return;
    room.draw = draw;
    panel.classList.remove('waiting');
    await draw();
    panel.dataset.image = image;
    panel.dataset.shown = (Number(panel.dataset.shown) || 0) + 1;
  } catch (error) { if (tab === room.tab && turn === room.turn) trouble(room, error); }
}

function redraw(room) {
  if (!room.info || !room.passed) return;
  if (room.tab !== 'layers') room.filters = null; // drawn anew when they are seen again
  layStrip(room);
  drawLooked(room);
  drawNet(room);
  if (room.$(`[data-tab=${room.tab}]`)) room.draw?.();
}

// While the run learns the page follows it, the quick things often, the slow ones seldom.
function hear(room, run) {
  if (run.job !== room.name || !room.info) return;
  runButton(room, run);
  const running = run.status === 'running', now = performance.now();
  if (run.step === room.heard && running === room.learning) return;
  const stopped = room.learning && !running;
  const first = room.heard === undefined || room.heardOf !== room.name;
  Object.assign(room, { heard: run.step, heardOf: room.name, learning: running });
  if (first && !running) return;
  if (stopped || now - (room.lookedAt ?? 0) > 350) { room.lookedAt = now; room.poll('forward', () => forward(room)); }
  if (stopped || now - (room.tabAt ?? 0) > LIVE[room.tab]) { room.tabAt = now; room.post('tab', () => showTab(room)); }
}

function runButton(room, run) {
  const button = room.$('.run'), what = { ready: ['Train', 'train'], paused: ['Resume', 'train'], stopped: ['Resume', 'train'], failed: ['Resume', 'train'], running: ['Pause', 'pause'] }[run.status];
  button.hidden = !what || !room.data.own;
  if (!what) return;
  put(button, what[0]);
  button.classList.toggle('primary', run.status !== 'running');
  button.onclick = () => room.act({ do: what[1] });
}
