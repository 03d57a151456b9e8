// Drawing of what the routes of the Inside page answer: tiles of any sign, pictures by their address, points of the plane.
const GAP = 2, FEW = 16;

// Tiles {shape: [n, c, h, w], scale, data}: value = scale · data / 127.
const unpackTiles = told => told.bytes ??= new Int8Array(bus.bytes(told.data).buffer);
const signed = told => told.sign ??= unpackTiles(told).some(v => v < 0);

// One tile into RGBA: colours as they are, around grey where signed; else blue, nothing, orange; or ink from low to high.
function tileInto(data, told, i, look) {
  const [, c, h, w] = told.shape, raw = unpackTiles(told), size = h * w, from = i * c * size, both = signed(told);
  for (let p = 0; p < size; p++) {
    for (let k = 0; k < 3; k++) {
      if (c === 3) { const v = raw[from + k * size + p] / 127; data[4 * p + k] = both ? 127.5 + 127.5 * v : 255 * v; continue; }
      const v = raw[from + p] / 127, t = Math.abs(v) ** .8, pole = both ? (v < 0 ? look.neg : look.pos) : look.high, zero = both ? look.zero : look.low;
      data[4 * p + k] = zero[k] + (pole[k] - zero[k]) * (both ? t : Math.max(v, 0));
    }
    data[4 * p + 3] = 255;
  }
}

const looks = element => Object.fromEntries(['low', 'high', 'neg', 'zero', 'pos', 'accent', 'line', 'ink', 'ink2', 'ink3', 'held', 'panel', 'page', 'ghost', 'pen'].map(name => [name, rgb(element, name)]));

// How tiles lie on a canvas of `width` CSS pixels and, if possible, `height`: as large as fits, at most `most` a side.
function laid(told, width, height, most = 64, least = 14) {
  const [n, , h, w] = told.shape, ratio = h / w;
  let side = most;
  const rowsAt = s => Math.ceil(n / Math.max(1, Math.floor((width + GAP) / (s + GAP))));
  while (side > least && rowsAt(side) * (side * ratio + GAP) > height) side--;
  const rows = rowsAt(side);
  return { columns: Math.ceil(n / rows), side, tall: Math.max(3, Math.round(side * ratio)), rows };
}

function drawTiles(canvas, told, look, { width, height = 1e4, most, least, chosen = -1, pad = 0 } = {}) {
  const [n, , h, w] = told.shape, at = laid(told, width, height, most, least), dpr = devicePixelRatio || 1;
  const W = at.columns * (at.side + GAP) - GAP + 2 * pad, H = at.rows * (at.tall + GAP) - GAP + 2 * pad;
  sized(canvas, Math.round(W * dpr), Math.round(H * dpr));
  Object.assign(canvas.style, { width: `${W}px`, height: `${H}px` });
  const c = canvas.getContext('2d'), sheet = new OffscreenCanvas(w * at.columns, h * at.rows), o = sheet.getContext('2d'), image = o.createImageData(w, h);
  c.clearRect(0, 0, canvas.width, canvas.height);
  c.imageSmoothingEnabled = at.side * dpr < w;
  for (let i = 0; i < n; i++) {
    tileInto(image.data, told, i, look);
    o.putImageData(image, (i % at.columns) * w, Math.floor(i / at.columns) * h);
  }
  const px = v => Math.round(v * dpr), fine = n <= FEW && new OffscreenCanvas(w, h), f = fine && fine.getContext('2d');
  for (let i = 0; i < n; i++) {
    const column = i % at.columns, row = Math.floor(i / at.columns), x = px(pad + column * (at.side + GAP)), y = px(pad + row * (at.tall + GAP));
    if (fine) { // few and large: all their pixels equally large
      f.globalCompositeOperation = 'copy';
      f.drawImage(sheet, column * w, row * h, w, h, 0, 0, w, h);
      enlarge(c, fine, x, y, px(at.side), px(at.tall));
    } else c.drawImage(sheet, column * w, row * h, w, h, x, y, px(at.side), px(at.tall));
    if (!signed(told)) { c.strokeStyle = css(look.line); c.lineWidth = 1; c.strokeRect(x + .5, y + .5, px(at.side) - 1, px(at.tall) - 1); }
    if (i === chosen) { c.strokeStyle = css(look.accent); c.lineWidth = 2 * dpr; c.strokeRect(x + dpr, y + dpr, px(at.side) - 2 * dpr, px(at.tall) - 2 * dpr); }
  }
  canvas.__at = at;
  return at;
}

// Which tile lies under an event of the pointer.
function tileUnder(canvas, e) {
  const box = canvas.getBoundingClientRect(), { columns, side, tall } = canvas.__at;
  const column = Math.floor((e.clientX - box.left) / (side + GAP)), row = Math.floor((e.clientY - box.top) / (tall + GAP));
  return column < columns ? row * columns + column : -1;
}

// A picture at a data address in the theme's ink, `side` CSS pixels wide.
async function drawPicture(canvas, url, room, tile = null, i = 0) {
  const sheet = await strip(url, tile, room.ink, [room.look.low, room.look.high]);
  sheet.show(canvas, i);
  return sheet;
}

// A point of the plane, and where the network takes it.
function drawPoint(canvas, room, from, to, side = 112) {
  const dpr = devicePixelRatio || 1, c = ready(canvas, side, side, dpr), at = ([x, y]) => [6 + x * (side - 12), side - 6 - y * (side - 12)];
  c.fillStyle = css(room.look.ghost);
  for (const point of room.info.points) { const [x, y] = at(point); c.fillRect(x - .75, y - .75, 1.5, 1.5); }
  if (to) arrow(c, at(from), at(to), css(room.look.held), 1.5);
  dot(c, at(to ?? from), 4, css(room.look.accent));
}

function ready(canvas, W, H, dpr = devicePixelRatio || 1) {
  sized(canvas, Math.round(W * dpr), Math.round(H * dpr));
  Object.assign(canvas.style, { width: `${W}px`, height: `${H}px` });
  const c = canvas.getContext('2d');
  c.setTransform(dpr, 0, 0, dpr, 0, 0);
  c.clearRect(0, 0, W, H);
  return c;
}

function dot(c, [x, y], r, colour) {
  c.fillStyle = colour;
  c.beginPath();
  c.arc(x, y, r, 0, 7);
  c.fill();
}

function arrow(c, [x0, y0], [x1, y1], colour, width = 1) {
  const length = Math.hypot(x1 - x0, y1 - y0), head = Math.min(4.5, length * .45), a = Math.atan2(y1 - y0, x1 - x0);
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  if (length > 1.5) for (const turn of [2.6, -2.6]) { c.moveTo(x1, y1); c.lineTo(x1 + head * Math.cos(a + turn), y1 + head * Math.sin(a + turn)); }
  c.stroke();
}

// Activations as nodes: as solid as active, rings where negative. Returns the canvas' size.
function drawNodes(canvas, units, peak, colour, ring, tallest) {
  const n = units.length, pitch = n <= 10 ? 15 : n <= 48 ? 12.5 : n <= 160 ? 10.5 : n <= 320 ? 8.5 : n <= 640 ? 7 : 5.5;
  const rows = Math.min(n, Math.max(1, Math.floor(tallest / pitch))), columns = Math.ceil(n / rows), W = columns * pitch, H = rows * pitch;
  const c = ready(canvas, W, H), r = pitch * .4;
  units.forEach((v, i) => {
    const x = (Math.floor(i / rows) + .5) * pitch, y = (i % rows + .5) * pitch, t = peak ? Math.min(1, Math.abs(v) / peak) : 0;
    c.globalAlpha = .22;
    c.strokeStyle = ring;
    c.lineWidth = .8;
    c.beginPath();
    c.arc(x, y, r, 0, 7);
    c.stroke();
    c.globalAlpha = t;
    if (v < 0) { c.strokeStyle = colour; c.lineWidth = Math.min(2, r * .55); c.beginPath(); c.arc(x, y, r * .72, 0, 7); c.stroke(); }
    else dot(c, [x, y], r, colour);
  });
  c.globalAlpha = 1;
}
