// Keys: tools and undo anywhere on the page; arrows, space, plus, minus and zero on the picture.
const ARROW = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function paintKeys(room) {
  const pad = room.$('.f1 .main'), typed = e => {
    const one = e.composedPath()[0];
    return one.isContentEditable || /^(TEXTAREA|SELECT)$/.test(one.tagName ?? '') || (one.tagName === 'INPUT' && !['range', 'checkbox'].includes(one.type));
  };

  const anywhere = e => {
    const key = e.key.toLowerCase(), control = e.ctrlKey || e.metaKey;
    if (control && key === 'z') return () => room.acts[e.shiftKey ? 'redo' : 'undo']();
    if (control && key === 'y') return () => room.acts.redo();
    if (control || e.altKey) return null;
    return {
      b: () => room.choose('tool', 'brush'), e: () => room.choose('tool', 'erase'), r: () => room.choose('tool', 'box'), m: () => room.choose('tool', 'move'),
      i: () => room.acts.invert(), o: () => room.hold(true), '[': () => room.resize(-1), ']': () => room.resize(1),
    }[key];
  };

  // A cursor in the picture's pixels: space paints where it is, and along the way while it is held.
  const step = (e, [dx, dy]) => {
    const { hole, view } = room, far = e.shiftKey ? Math.max(4, Math.round(Math.max(hole.w, hole.h) / 16)) : Math.max(1, Math.round(Math.max(hole.w, hole.h) / 256));
    const from = room.cursor ?? [Math.floor(hole.w / 2) + .5, Math.floor(hole.h / 2) + .5];
    const to = [clamp(from[0] + dx * far, .5, hole.w - .5), clamp(from[1] + dy * far, .5, hole.h - .5)];
    if (room.pressed && room.tool !== 'box') hole.stroke(from, to, room.size, room.tool === 'erase' ? 0 : 1);
    if (room.corner) room.rectangle = [room.corner, to];
    room.cursor = to;
    view.show(...to);
    ring();
    room.draw();
  };
  const ring = () => {
    const [left, top, s] = room.view.place(pad.clientWidth, pad.clientHeight);
    room.follow([left + room.cursor[0] * s, top + room.cursor[1] * s]);
  };
  const press = () => {
    room.cursor ??= [Math.floor(room.hole.w / 2) + .5, Math.floor(room.hole.h / 2) + .5];
    ring();
    if (room.tool === 'box') {
      if (!room.corner) { room.corner = room.cursor; room.rectangle = [room.corner, room.cursor]; return room.draw(); }
      const from = room.corner;
      Object.assign(room, { corner: null, rectangle: null });
      if (room.hole.change(() => room.hole.rectangle(from, room.cursor))) room.painted(performance.now());
      return room.draw();
    }
    if (room.pressed || room.tool === 'move') return;
    room.pressed = true;
    room.hole.begin();
    room.hole.stroke(room.cursor, room.cursor, room.size, room.tool === 'erase' ? 0 : 1);
    room.draw();
  };
  const release = () => {
    if (!room.pressed) return;
    room.pressed = false;
    if (room.hole.end()) room.painted(performance.now());
    room.draw();
  };
  const onPicture = e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return null;
    if (ARROW[e.key]) return () => step(e, ARROW[e.key]);
    return {
      ' ': press, Enter: () => { press(); release(); }, '+': () => room.zoomBy(1.4), '=': () => room.zoomBy(1.4), '-': () => room.zoomBy(1 / 1.4), 0: () => room.acts.fit(),
      Escape: () => { Object.assign(room, { corner: null, rectangle: null, cursor: null }); room.$('.ring').hidden = true; room.draw(); },
    }[e.key];
  };

  const down = e => {
    if (!room.section.isConnected) return stop();
    if (!room.hole || typed(e) || !room.$('.sheet').hidden) return;
    const act = (e.composedPath()[0] === pad && room.idle() && onPicture(e)) || anywhere(e);
    if (!act) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    act();
  };
  const up = e => {
    if (!room.section.isConnected) return stop();
    if (e.key === ' ') release();
    if (e.key.toLowerCase() === 'o') room.hold(false);
  };
  const stop = () => { window.removeEventListener('keydown', down, true); window.removeEventListener('keyup', up, true); };
  window.addEventListener('keydown', down, true); // before Streamlit's own short cuts
  window.addEventListener('keyup', up, true);
  pad.addEventListener('blur', release);
  window.addEventListener('blur', () => room.hold(false));
}
