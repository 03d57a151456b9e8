// Hands on the map: pointer, fingers, wheel and keys become hover, choose, pan, zoom, pins and a lasso.
const NEAR = 14, NEAR_FINGER = 24, CLICK = 5; // pixels

function handsOn(map) {
  const pad = map.top, fingers = new Map();
  let grip = null, due = 0, at = null;
  const place = e => { const box = pad.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  const pinUnder = (p, reach) => ['A', 'B'].find(k => {
    const q = map.pinAt(k);
    return q && Math.hypot(p[0] - q[0], p[1] - q[1]) < reach;
  });

  const begin = (e, p) => {
    const touch = e.pointerType === 'touch', pin = map.live ? null : pinUnder(p, touch ? NEAR_FINGER : NEAR);
    const lasso = !map.live && (map.tool === 'lasso' || e.shiftKey);
    grip = { kind: pin ? 'pin' : lasso ? 'lasso' : touch ? 'look' : 'pan', pin, from: p, last: p, far: 0 };
    if (grip.kind === 'lasso') {
      map.loop = [[map.wx(p[0]), map.wy(p[1])]];
      map.drawing = true;
    }
    if (grip.kind === 'look') map.point(...p);
    else map.leave(); // nothing under the pointer may hide what is drawn round or dragged
  };

  pad.onpointerdown = e => {
    const p = place(e);
    fingers.set(e.pointerId, p);
    pad.setPointerCapture(e.pointerId);
    map.cursor = null;
    if (fingers.size < 2) return begin(e, p);
    grip = { kind: 'pinch' };
    map.loop = null;
    map.drawing = false;
    map.leave();
  };

  const hover = (e, p) => {
    at = p;
    if (e.pointerType !== 'touch') due ||= requestAnimationFrame(() => { due = 0; map.point(...at); });
    pad.style.cursor = pinUnder(p, NEAR) ? 'grab' : map.tool === 'move' ? 'default' : 'crosshair';
  };

  const pinch = (e, p, was) => {
    const other = [...fingers].find(([id]) => id !== e.pointerId)?.[1];
    if (!other) return;
    const apart = q => Math.max(20, Math.hypot(q[0] - other[0], q[1] - other[1]));
    map.view.x -= (p[0] - was[0]) / 2 / map.s;
    map.view.y += (p[1] - was[1]) / 2 / map.s;
    map.zoomAt((p[0] + other[0]) / 2, (p[1] + other[1]) / 2, apart(p) / apart(was));
  };

  const moves = {
    pan(p) {
      if (grip.far <= CLICK) return;
      map.leave();
      pad.style.cursor = 'grabbing';
      map.view.x -= (p[0] - grip.last[0]) / map.s;
      map.view.y += (p[1] - grip.last[1]) / map.s;
      grip.last = p;
      map.later();
    },
    look(p) { map.point(...p); },
    pin(p) {
      const i = map.nearest(...p);
      if (i >= 0) map.on.pin?.(grip.pin, i, true);
    },
    lasso(p) {
      const last = map.loop?.at(-1);
      if (last && Math.hypot(p[0] - map.sx(last[0]), p[1] - map.sy(last[1])) > 3) map.loop.push([map.wx(p[0]), map.wy(p[1])]);
      map.over();
    },
  };

  pad.onpointermove = e => {
    const p = place(e), was = fingers.get(e.pointerId);
    if (!grip) return hover(e, p);
    if (!was) return;
    fingers.set(e.pointerId, p);
    if (grip.kind === 'pinch') return pinch(e, p, was);
    grip.far = Math.max(grip.far, Math.hypot(p[0] - grip.from[0], p[1] - grip.from[1]));
    moves[grip.kind](p);
  };

  pad.onpointerup = pad.onpointercancel = e => {
    const p = place(e), g = grip;
    fingers.delete(e.pointerId);
    if (fingers.size) return;
    grip = null;
    pad.style.cursor = '';
    if (e.pointerType === 'touch') setTimeout(() => map.leave(), 900);
    if (!g || e.type === 'pointercancel') return;
    if (g.kind === 'lasso' && map.loop?.length > 6) return map.closeLasso();
    if (g.kind === 'lasso') { map.loop = null; map.drawing = false; }
    if (g.kind === 'pin') map.on.pin?.(g.pin, map.nearest(...p), false);
    if (g.kind === 'look' || (g.far <= CLICK && ['pan', 'lasso'].includes(g.kind))) map.choose(...p);
  };
  pad.onpointerleave = () => { if (!grip) map.leave(); };
  pad.ondblclick = e => map.zoomAt(...place(e), 1.8);
  pad.addEventListener('wheel', e => {
    e.preventDefault();
    map.zoomAt(...place(e), Math.exp(-e.deltaY * .0016));
    map.point(...place(e));
  }, { passive: false });
  map.host.onkeydown = e => { if (key(map, e)) { e.preventDefault(); e.stopPropagation(); } };
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function key(map, e) {
  if (e.ctrlKey || e.metaKey || e.altKey) return false;
  const middle = [map.w / 2, map.h / 2];
  if (ARROWS[e.key]) {
    const step = e.shiftKey ? 40 : 8, from = map.cursor || middle, [dx, dy] = ARROWS[e.key];
    map.cursor = [clamp(from[0] + dx * step, 0, map.w), clamp(from[1] + dy * step, 0, map.h)];
    if (map.drawing) map.loop?.push([map.wx(map.cursor[0]), map.wy(map.cursor[1])]);
    map.point(...map.cursor);
    return true;
  }
  const pin = e.key.toUpperCase(), keys = {
    Enter: () => map.cursor && enter(map),
    ' ': () => map.cursor && enter(map),
    '+': () => map.zoomAt(...middle, 1.3), '=': () => map.zoomAt(...middle, 1.3), '-': () => map.zoomAt(...middle, 1 / 1.3),
    0: () => map.fit(),
    Escape: () => map.clear(),
    l: () => map.on.lens?.(), L: () => map.on.lens?.(),
  };
  if (keys[e.key]) { keys[e.key](); return true; }
  if (pin !== 'A' && pin !== 'B') return false;
  const i = map.hot >= 0 ? map.hot : map.cursor ? map.nearest(...map.cursor) : map.chosen?.index ?? -1;
  if (i >= 0) map.on.pin?.(pin, i, false);
  return true;
}

// Enter decodes the place under the cursor; with the lasso it begins its line, and closes it.
function enter(map) {
  const [x, y] = map.cursor;
  if (map.tool !== 'lasso' || map.live) return map.choose(x, y);
  if (map.drawing && map.loop?.length > 2) return map.closeLasso();
  Object.assign(map, { drawing: true, loop: [[map.wx(x), map.wy(y)]] });
  map.over();
}
