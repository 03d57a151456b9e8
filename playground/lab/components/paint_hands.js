// Hands on the picture: mouse, pen and fingers paint; two fingers, the wheel, the middle button or Move look closer.
function paintHands(room) {
  const pad = room.$('.f1 .main'), ring = room.$('.ring'), fingers = new Map();
  let grip = null;
  const spot = e => { const box = pad.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  const size = () => [pad.clientWidth, pad.clientHeight];
  const at = p => { const [left, top, s] = room.view.place(...size()); return [(p[0] - left) / s, (p[1] - top) / s]; };

  const follow = (p, shown = true) => {
    const [, , s] = room.view.place(...size()), across = room.tool === 'box' ? 9 : Math.max(3, room.size * s);
    ring.hidden = !shown || room.tool === 'move' || !room.hole;
    ring.classList.toggle('box', room.tool === 'box');
    Object.assign(ring.style, { left: `${p[0]}px`, top: `${p[1]}px`, width: `${across}px`, height: `${across}px` });
  };
  room.follow = follow;

  const begin = (e, p) => {
    const moves = room.tool === 'move' || e.button === 1 || e.altKey;
    if (moves) { grip = { kind: 'move', last: p }; return; }
    grip = { kind: room.tool === 'box' ? 'box' : 'stroke', last: at(p), from: at(p), touch: e.pointerType === 'touch' };
    room.hole.begin();
    room.painting = true;
    if (grip.kind === 'stroke') mark(grip.last, grip.last);
  };
  const mark = (a, b) => room.hole.stroke(a, b, room.size, room.tool === 'erase' ? 0 : 1);

  pad.onpointerdown = e => {
    if (!room.hole || room.held || (e.pointerType === 'mouse' && e.button > 1)) return;
    const p = spot(e);
    if (e.button === 1) e.preventDefault();
    fingers.set(e.pointerId, p);
    pad.setPointerCapture(e.pointerId);
    room.cursor = null;
    if (fingers.size > 1) {
      if (room.painting) room.hole.drop(); // the first finger was no stroke after all
      Object.assign(room, { painting: false, rectangle: null });
      grip = { kind: 'pinch' };
      ring.hidden = true;
    } else begin(e, p);
    if (grip.kind !== 'pinch') follow(p);
    room.draw();
  };

  const pinch = (e, p, was) => {
    const other = [...fingers].find(([id]) => id !== e.pointerId)?.[1];
    if (!other) return;
    const apart = q => Math.max(20, Math.hypot(q[0] - other[0], q[1] - other[1]));
    room.view.move((p[0] - was[0]) / 2, (p[1] - was[1]) / 2, ...size());
    room.view.by(apart(p) / apart(was), [(p[0] + other[0]) / 2, (p[1] + other[1]) / 2], ...size());
  };

  pad.onpointermove = e => {
    const p = spot(e), was = fingers.get(e.pointerId);
    if (grip?.kind !== 'pinch') follow(p, e.pointerType !== 'touch' || !!grip);
    if (!grip || !was) return;
    fingers.set(e.pointerId, p);
    if (grip.kind === 'pinch') pinch(e, p, was);
    if (grip.kind === 'move') { room.view.move(p[0] - was[0], p[1] - was[1], ...size()); }
    if (grip.kind === 'box') room.rectangle = [grip.from, at(p)];
    if (grip.kind === 'stroke') {
      for (const one of e.getCoalescedEvents?.().length ? e.getCoalescedEvents() : [e]) {
        const next = at(spot(one));
        mark(grip.last, next);
        grip.last = next;
      }
    }
    room.draw();
  };

  pad.onpointerup = pad.onpointercancel = e => {
    const p = spot(e);
    if (!fingers.delete(e.pointerId)) return;
    if (fingers.size || !grip) return;
    const was = grip;
    grip = null;
    if (e.pointerType === 'touch') ring.hidden = true;
    if (['stroke', 'box'].includes(was.kind)) {
      if (was.kind === 'box') room.hole.rectangle(was.from, at(p));
      Object.assign(room, { painting: false, rectangle: null });
      if (room.hole.end()) room.painted(performance.now());
    }
    room.draw();
  };
  pad.onpointerleave = () => { if (!grip) ring.hidden = true; };
  pad.onmousedown = e => { if (e.button === 1) e.preventDefault(); };
  pad.addEventListener('wheel', e => {
    if (!room.hole || (room.view.zoom === 1 && e.deltaY > 0)) return; // nothing smaller: the page may scroll
    e.preventDefault();
    room.view.by(Math.exp(-e.deltaY * .0018), spot(e), ...size());
    follow(spot(e));
    room.draw();
  }, { passive: false });
  pad.addEventListener('touchmove', e => e.preventDefault(), { passive: false });
  room.zoomBy = factor => { room.view.by(factor, [pad.clientWidth / 2, pad.clientHeight / 2], ...size()); room.draw(); };
  room.idle = () => !grip;
}
