// Pictures and how they are seen: zoom and place shared by all of them, the hole with its rim, differences.
const PHOTO = 128, SMALL = 512 * 512, MOST_ZOOM = 40; // pixels a side from which on a picture is enlarged smoothly
const RANGES = [.1, .25, .5, 1];

// A picture: `plain` as it is, `canvas` as it is shown. Handwriting on black is shown as ink on paper.
class Picture {
  constructor(w, h, colour) {
    Object.assign(this, { w, h, colour, smooth: Math.max(w, h) > PHOTO, ink: false, plain: new OffscreenCanvas(w, h) });
    this.canvas = this.plain;
    this.context = this.plain.getContext('2d', { willReadFrequently: w * h <= SMALL });
  }

  data([x, y, w, h] = [0, 0, this.w, this.h]) { return this.context.getImageData(x, y, w, h).data; }

  onBlack() {
    if (this.colour || this.w * this.h > SMALL || this.h < 3) return false;
    const raw = this.data(), { w, h } = this;
    let sum = 0;
    for (let x = 0; x < w; x++) sum += raw[4 * x] + raw[4 * ((h - 1) * w + x)];
    return sum / (2 * w) < 40;
  }

  theme(ink, [low, high]) {
    this.ink = ink;
    if (!ink) { this.canvas = this.plain; return this; }
    const raw = this.data(), image = new ImageData(this.w, this.h), d = image.data;
    for (let i = 0; i < raw.length; i += 4) {
      for (let k = 0; k < 3; k++) d[i + k] = low[k] + (high[k] - low[k]) * raw[i] / 255;
      d[i + 3] = 255;
    }
    if (this.canvas === this.plain) this.canvas = new OffscreenCanvas(this.w, this.h);
    this.canvas.getContext('2d').putImageData(image, 0, 0);
    return this;
  }

  // This picture with a part put in at a place.
  with(bitmap, x, y) {
    const made = new Picture(this.w, this.h, this.colour);
    made.context.drawImage(this.plain, 0, 0);
    if (bitmap) made.context.drawImage(bitmap, x, y);
    return made;
  }
}

async function bitmapOf(address) {
  const blob = address.startsWith('data:')
    ? new Blob([bus.bytes(address.slice(address.indexOf(',') + 1))], { type: address.slice(5, address.indexOf(';')) })
    : await (await answered(await reach(new URL(address, document.baseURI)))).blob();
  return createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
}

// Zoom (1: all of it) and the place of the picture in the middle; for canvases of any size.
class View {
  constructor() { this.reset(1, 1); }
  reset(w, h) { Object.assign(this, { w, h, zoom: 1, x: w / 2, y: h / 2 }); }
  scale(wide, high) { return Math.min(wide / this.w, high / this.h) * this.zoom; }

  // Where the picture lies in a canvas: [left, top, pixels of the canvas per pixel of the picture].
  place(wide, high) {
    const s = this.scale(wide, high);
    return [wide / 2 - this.x * s, high / 2 - this.y * s, s];
  }

  by(factor, at, wide, high) {
    const before = this.scale(wide, high), zoom = clamp(this.zoom * factor, 1, Math.max(4, Math.min(MOST_ZOOM, Math.max(this.w, this.h) / 8)));
    const k = before * zoom / this.zoom;
    this.x += (at[0] - wide / 2) * (1 / before - 1 / k);
    this.y += (at[1] - high / 2) * (1 / before - 1 / k);
    this.zoom = zoom;
    this.settle();
  }

  move(dx, dy, wide, high) {
    const s = this.scale(wide, high);
    this.x -= dx / s;
    this.y -= dy / s;
    this.settle();
  }

  settle() {
    const half = [this.w / 2 / this.zoom, this.h / 2 / this.zoom];
    this.x = clamp(this.x, half[0], this.w - half[0]);
    this.y = clamp(this.y, half[1], this.h - half[1]);
  }

  show(x, y) {
    const half = [this.w / 2 / this.zoom, this.h / 2 / this.zoom];
    this.x = clamp(this.x, x - half[0] * .9, x + half[0] * .9);
    this.y = clamp(this.y, y - half[1] * .9, y + half[1] * .9);
    this.settle();
  }
}

// A canvas as sharp as the screen; its context, width and height.
function screen(canvas) {
  const box = canvas.getBoundingClientRect(), d = devicePixelRatio || 1, w = Math.round(box.width * d), h = Math.round(box.height * d);
  if (!w || !h) return null;
  sized(canvas, w, h);
  const c = canvas.getContext('2d', { willReadFrequently: false });
  c.clearRect(0, 0, w, h);
  return [c, w, h, d];
}

function lay(c, source, [left, top, s], smooth) {
  c.imageSmoothingEnabled = smooth;
  c.imageSmoothingQuality = s < 1 ? 'high' : 'low';
  c.drawImage(source, left, top, source.width * s, source.height * s);
}

const scratch = k => (scratch.made ??= [])[k] ??= document.createElement('canvas');

// The hole's shape on the screen, filled with a colour or pattern.
function shape(hole, place, w, h, fill, k, offsets = [[0, 0]]) {
  const canvas = scratch(k);
  sized(canvas, w, h);
  const c = canvas.getContext('2d');
  c.globalCompositeOperation = 'source-over';
  c.clearRect(0, 0, w, h);
  for (const [dx, dy] of offsets) lay(c, hole.canvas, [place[0] + dx, place[1] + dy, place[2]], false);
  c.globalCompositeOperation = 'source-in';
  c.fillStyle = fill;
  c.fillRect(0, 0, w, h);
  return [canvas, c];
}

// The hole's rim: its shape moved a little to all sides, less itself.
function rim(c, hole, place, w, h, colour, thick) {
  const moves = [[thick, 0], [-thick, 0], [0, thick], [0, -thick], [thick, thick], [-thick, -thick], [thick, -thick], [-thick, thick]];
  const [canvas, inside] = shape(hole, place, w, h, colour, 0, moves);
  inside.globalCompositeOperation = 'destination-out';
  lay(inside, hole.canvas, place, false);
  c.drawImage(canvas, 0, 0);
}

function hatch(colours, d) {
  const canvas = document.createElement('canvas'), side = Math.round(9 * d), c = canvas.getContext('2d');
  sized(canvas, side, side);
  c.fillStyle = colours[0];
  c.fillRect(0, 0, side, side);
  c.strokeStyle = colours[1];
  c.lineWidth = 1.2 * d;
  c.beginPath();
  for (const k of [-side, 0, side]) { c.moveTo(k - 2, -2); c.lineTo(k + side + 2, side + 2); }
  c.stroke();
  return c.createPattern(canvas, 'repeat');
}

// Result minus original, mean over the channels, in the part that changed: a picture, its place, and the scale's end.
function difference(result, truth, box, [neg, zero, pos]) {
  const [, , w, h] = box, a = result.data(box), b = truth.data(box), values = new Float32Array(w * h);
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] = (a[4 * i] - b[4 * i] + a[4 * i + 1] - b[4 * i + 1] + a[4 * i + 2] - b[4 * i + 2]) / 765;
    most = Math.max(most, Math.abs(values[i]));
  }
  const range = RANGES.find(one => one >= most) ?? 1, image = new ImageData(w, h), d = image.data;
  for (let i = 0; i < values.length; i++) {
    const v = values[i] / range, end = v < 0 ? neg : pos;
    for (let k = 0; k < 3; k++) d[4 * i + k] = zero[k] + (end[k] - zero[k]) * Math.abs(v);
    d[4 * i + 3] = 255;
  }
  const canvas = new OffscreenCanvas(w, h);
  canvas.getContext('2d').putImageData(image, 0, 0);
  return { canvas, box, range };
}
