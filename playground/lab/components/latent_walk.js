// From A to B: codes on a straight line or an arc, decoded, above the cross-fade of the two pictures' pixels.
const STEPS = 31, CELLS = 11, CELLS_NARROW = 7, PACE = 2600; // PACE: ms from A to B

function setPin(room, k, pin, moving = false) {
  const { map } = room, before = map.pins[k];
  if (pin.index !== undefined && before?.index === pin.index) return;
  map.pins[k] = pin;
  map.path = null;
  map.over();
  askWalk(room, moving);
}

// A picture or code of one's own keeps its code, but its place is another on another map: the answer tells it.
const endOf = pin => pin.index !== undefined ? { index: pin.index } : pin.image ? { image: pin.image, centre: pin.centre } : { code: pin.code };

function askWalk(room, moving = false) {
  const { $, map } = room, { A, B } = map.pins, box = $('.strip');
  if (!A || !B || map.live) return;
  for (const canvas of room.all('[data-end]')) {
    const pin = map.pins[canvas.dataset.end];
    pin.index !== undefined ? show(room, canvas, room.thumbs, pin.index) : show(room, canvas, pin.sheet);
  }
  const mine = room.walkTurn = (room.walkTurn ?? 0) + 1, how = room.how;
  box.dataset.ready = 'false';
  room.post('walk', async () => {
    if (mine !== room.walkTurn || map.live) return;
    let told;
    const key = map.key;
    try {
      told = await (await room.ask.post('walk', { from: endOf(A), to: endOf(B), steps: moving ? CELLS : STEPS, how })).json();
    } catch (error) { return room.trouble(error); }
    const [code, pixels] = await Promise.all([told.by_code, told.by_pixels].map(url => strip(url, told.tile, room.ink, room.look)));
    if (mine !== room.walkTurn || key !== map.key) return;
    room.walk = { code, pixels, steps: told.steps };
    for (const [pin, place] of [[A, told.places[0]], [B, told.places.at(-1)]]) if (pin.index === undefined) pin.place = place;
    map.path = told.places;
    cells(room, 'code', code);
    cells(room, 'fade', pixels);
    Object.assign(box.dataset, { ready: 'true', how, steps: told.steps, a: A.index ?? 'own', b: B.index ?? 'own' });
    setShare(room, room.t ?? .5, true);
  });
}

function cells(room, which, sheet) {
  const box = room.$('.cells.' + which), many = innerWidth <= 560 ? CELLS_NARROW : CELLS;
  while (box.children.length < CELLS) box.append(tag('canvas', { class: 'px' }));
  for (let k = 0; k < many; k++) show(room, box.children[k], sheet, Math.round(k / (many - 1) * (room.walk.steps - 1)));
}

// share: of B in the code, 0 to 1. quiet: the strip's mark moves, the panel keeps what it shows.
function setShare(room, share, quiet = false) {
  const { $, map, walk } = room, hero = $('.hero'), percent = `${Math.round(share * 100)} %`;
  room.t = map.t = share;
  $('.film').style.setProperty('--t', share);
  $('.film input').value = share;
  $('.film input').setAttribute('aria-valuetext', `${percent} B`);
  put($('.tval'), percent);
  if (!quiet && walk && map.path) {
    room.turn++;
    $('.latent').classList.add('walking');
    show(room, hero, walk.code, Math.round(share * (walk.steps - 1)));
    Object.assign(hero.dataset, { source: 'walk', index: '', distance: '' });
    put($('.title'), 'On the way from A to B');
    put($('.chip'), 'exact');
    facts(room, [['Share of B in the code', percent], ['Way', room.how === 'straight' ? 'straight' : 'arc']]);
    buttons(room);
    map.chosen = room.place = null;
    room.again = () => setShare(room, share);
  }
  map.over();
}

function play(room, on = !room.playing) {
  const { $ } = room, mine = room.playing = on ? {} : null, started = performance.now() - PACE * (room.t ?? 0);
  put($('[data-do=walk] .ic'), on ? 'pause' : 'play_arrow');
  put($('[data-do=walk] .lab'), on ? 'Hold' : 'Walk');
  const step = now => {
    if (room.playing !== mine || !on) return;
    const k = ((now - started) / PACE) % 2;
    setShare(room, ease(k < 1 ? k : 2 - k));
    requestAnimationFrame(step);
  };
  if (on) requestAnimationFrame(step);
}

// Two images to begin with: of different classes, one far to the left, one far to the right.
function firstPins(room) {
  const { map } = room, p = map.pos, order = Array.from({ length: map.n }, (_, i) => i).sort((a, b) => p[2 * a] - p[2 * b]);
  if (map.n < 2) return;
  const A = order[Math.floor(order.length * .08)], from = Math.floor(order.length * .92);
  const B = order.slice(0, from + 1).reverse().find(i => map.labels[i] !== map.labels[A]) ?? order[from];
  map.pins = { A: { index: A }, B: { index: B === A ? order.at(-1) : B } };
}
