// Which model and which image the page shows: the chooser, the strip of held-out images, drawing and uploading.
function chooseModel(room) {
  const select = room.$('.model select'), groups = new Map();
  for (const one of room.data.choices) {
    if (!groups.has(one.group)) groups.set(one.group, tag('optgroup', { label: one.group }));
    groups.get(one.group).append(tag('option', { value: one.name }, one.title));
  }
  select.replaceChildren(...groups.values());
  select.value = room.data.name;
  select.onchange = e => room.act({ do: 'choose', name: e.target.value });
}

// The strip: all held-out images on one canvas, or the plane with its points.
async function loadStrip(room) {
  const { info, $ } = room;
  for (const source of room.all('[data-seg=source], [data-do=upload]')) source.hidden = info.plane;
  $('.strip').classList.toggle('plane', info.plane);
  if (info.plane) { room.ink = false; room.sheet = null; return layStrip(room); }
  const answer = await answered(await reach(address(room, 'images'))), bitmap = await createImageBitmap(await answer.blob());
  const tile = answer.headers.get('X-Tile').split(',').map(Number);
  room.ink = onBlack(bitmap, tile, info.columns, info.count);
  room.sheet = new Sheet(bitmap, tile, info.columns, room.ink, [room.look.low, room.look.high]);
  layStrip(room);
}

function layStrip(room) {
  const { $, info } = room, canvas = $('.sheet'), W = $('.strip').clientWidth - 8;
  if (W < 20 || !info) return;
  if (info.plane) {
    const c = ready(canvas, W, W);
    room.cells = { plane: true, side: W };
    for (const [x, y] of info.points) dot(c, [6 + x * (W - 12), W - 6 - y * (W - 12)], 1.8, css(room.look.ink3));
    return markStrip(room);
  }
  const columns = W > 460 ? 10 : 6, side = Math.floor((W + 3) / columns) - 3, rows = Math.ceil(info.count / columns);
  const c = ready(canvas, W, rows * (side + 3)), one = document.createElement('canvas'), dpr = devicePixelRatio || 1;
  room.cells = { columns, side };
  c.setTransform(1, 0, 0, 1, 0, 0);
  for (let i = 0; i < info.count; i++) {
    room.sheet.show(one, i);
    enlarge(c, one, Math.round((i % columns) * (side + 3) * dpr), Math.round(Math.floor(i / columns) * (side + 3) * dpr), Math.round(side * dpr), Math.round(side * dpr));
  }
  markStrip(room);
}

function markStrip(room) {
  for (const [key, query] of [['A', '.at.a'], ['B', '.at.b']]) {
    const mark = room.$(query), i = room.shown[key].index;
    mark.hidden = i === undefined || key === 'B' && room.tab !== 'sparse' || !room.cells;
    if (mark.hidden) continue;
    const place = room.cells.plane ? [2 + room.info.points[i][0] * (room.cells.side - 12), room.cells.side - 10 - room.info.points[i][1] * (room.cells.side - 12)]
      : [(i % room.cells.columns) * (room.cells.side + 3), Math.floor(i / room.cells.columns) * (room.cells.side + 3)];
    const side = room.cells.plane ? 8 : room.cells.side;
    Object.assign(mark.style, { left: `${4 + place[0]}px`, top: `${4 + place[1]}px`, width: `${side}px`, height: `${side}px` });
  }
  room.$('.strip').dataset.chosen = room.shown.A.index ?? '';
}

function pickBy(room) {
  const { $ } = room, host = $('.strip');
  host.onclick = e => {
    if (!room.cells) return;
    const box = $('.sheet').getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    let i;
    if (room.cells.plane) {
      const s = room.cells.side - 12, far = ([a, b]) => (6 + a * s - x) ** 2 + (room.cells.side - 6 - b * s - y) ** 2;
      i = room.info.points.reduce((best, point, k) => far(point) < far(room.info.points[best]) ? k : best, 0);
    } else i = Math.floor(y / (room.cells.side + 3)) * room.cells.columns + Math.floor(x / (room.cells.side + 3));
    if (i < room.info.count) setImage(room, e.shiftKey && room.tab === 'sparse' ? 'B' : room.side, { index: i });
  };
  host.onkeydown = e => {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: room.cells?.columns ?? 1, ArrowUp: -(room.cells?.columns ?? 1) }[e.key];
    if (!by) return;
    e.preventDefault();
    setImage(room, room.side, { index: clamp((room.shown[room.side].index ?? 0) + by, 0, room.info.count - 1) });
  };
  makePad(room, (image, words, centre) => setImage(room, room.side, { url: image, words, centre }));
  for (const [name, act] of [['wipe', () => room.pad.wipe()], ['camera', () => room.pad.camera()], ['upload', () => room.pad.upload()]]) $(`[data-do=${name}]`).onclick = act;
}

function setImage(room, side, image) {
  room.shown[side] = image;
  room.askedAt = performance.now();
  markStrip(room);
  if (side === 'A') room.pass('forward', () => forward(room));
  room.post('tab', () => showTab(room));
}

// What a question says of an image.
const asImage = one => one.url ? { image: one.url, centre: one.centre } : { image: one.index };
const nameOf = (room, one) => one.url ? one.words : `Held-out ${room.info.plane ? 'point' : 'image'} ${one.index}${room.info.has_labels ? `, ${room.info.classes[room.info.labels[one.index]]}` : ''}`;

function sourceOf(room, name) {
  press(room, 'source', name);
  room.$('.draw').hidden = name !== 'draw';
  room.$('.strip').hidden = name === 'draw';
  name === 'draw' ? room.pad.wake() : room.pad.sleep();
}
