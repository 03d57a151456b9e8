// What is hidden: one byte a pixel, a canvas of the same pixels, and what was done to it, to undo and to redo.
const MOST_UNDO = 64e6, HIDDEN = 0xff000000; // bytes; an opaque pixel

class Hole {
  constructor(w, h, packed = '') {
    Object.assign(this, { w, h, bytes: new Uint8Array(w * h), past: [], future: [], count: 0 });
    this.canvas = new OffscreenCanvas(w, h);
    this.context = this.canvas.getContext('2d');
    if (packed) this.unpack(packed);
  }

  get whole() { return [0, 0, this.w, this.h]; }
  get kept() { return this.past.reduce((sum, one) => sum + one.bytes.length, 0); }

  // A change: begin, any number of marks, end; drop takes it back without a trace.
  begin() { this.saved = this.bytes.slice(); this.box = null; }

  end() {
    const box = this.box, saved = this.saved;
    this.saved = null;
    if (!box) return false;
    const before = cut(saved, this.w, box), now = cut(this.bytes, this.w, box);
    if (before.every((v, i) => v === now[i])) return false;
    this.recount();
    this.past.push({ box, bytes: before });
    this.future = [];
    while (this.past.length > 1 && this.kept > MOST_UNDO) this.past.shift();
    return true;
  }

  drop() {
    if (this.saved) this.bytes.set(this.saved);
    if (this.box) this.show(this.box);
    this.saved = null;
    this.recount();
  }

  change(marks) { this.begin(); marks(); return this.end(); }
  undo() { return this.swap(this.past, this.future); }
  redo() { return this.swap(this.future, this.past); }

  swap(from, to) {
    const one = from.pop();
    if (!one) return false;
    to.push({ box: one.box, bytes: cut(this.bytes, this.w, one.box) });
    const [x, y, w, h] = one.box;
    for (let row = 0; row < h; row++) this.bytes.set(one.bytes.subarray(row * w, (row + 1) * w), (y + row) * this.w + x);
    this.show(one.box);
    this.recount();
    return true;
  }

  // A round brush from a to b, in pixels of the picture; value 1 hides, 0 uncovers.
  stroke(a, b, size, value) {
    const r = Math.max(size / 2, .71), n = Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / Math.max(.4, r / 3)) + 1;
    const box = this.within(Math.min(a[0], b[0]) - r, Math.min(a[1], b[1]) - r, Math.max(a[0], b[0]) + r, Math.max(a[1], b[1]) + r);
    if (!box) return;
    for (let k = 0; k <= n; k++) {
      const cx = a[0] + (b[0] - a[0]) * k / n, cy = a[1] + (b[1] - a[1]) * k / n;
      const top = Math.max(0, Math.floor(cy - r)), bottom = Math.min(this.h - 1, Math.ceil(cy + r));
      for (let y = top; y <= bottom; y++) {
        const half = Math.sqrt(Math.max(0, r * r - (y + .5 - cy) ** 2));
        const left = Math.max(0, Math.ceil(cx - half - .5)), right = Math.min(this.w - 1, Math.floor(cx + half - .5));
        if (half && right >= left) this.bytes.fill(value, y * this.w + left, y * this.w + right + 1);
      }
    }
    this.mark(box);
  }

  rectangle(a, b, value = 1) {
    const box = this.within(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1]));
    if (!box) return;
    for (let y = box[1]; y < box[1] + box[3]; y++) this.bytes.fill(value, y * this.w + box[0], y * this.w + box[0] + box[2]);
    this.mark(box);
  }

  invert() { for (let i = 0; i < this.bytes.length; i++) this.bytes[i] ^= 1; this.mark(this.whole); }
  clear() { this.bytes.fill(0); this.mark(this.whole); }

  // [x, y, w, h] of the pixels between two places, those touched included; null outside of the picture.
  within(x0, y0, x1, y1) {
    const x = clamp(Math.floor(x0), 0, this.w), y = clamp(Math.floor(y0), 0, this.h);
    const w = clamp(Math.floor(x1) + 1, 0, this.w) - x, h = clamp(Math.floor(y1) + 1, 0, this.h) - y;
    return w > 0 && h > 0 ? [x, y, w, h] : null;
  }

  mark(box) {
    if (this.box) {
      const x = Math.min(box[0], this.box[0]), y = Math.min(box[1], this.box[1]);
      this.box = [x, y, Math.max(box[0] + box[2], this.box[0] + this.box[2]) - x, Math.max(box[1] + box[3], this.box[1] + this.box[3]) - y];
    } else this.box = box;
    this.show(box);
    if (this.bytes.length < 3e5) this.recount();
  }

  show([x, y, w, h]) {
    const image = new ImageData(w, h), words = new Uint32Array(image.data.buffer);
    for (let row = 0; row < h; row++) for (let k = 0, i = (y + row) * this.w + x; k < w; k++) if (this.bytes[i + k]) words[row * w + k] = HIDDEN;
    this.context.putImageData(image, x, y);
  }

  recount() {
    let n = 0;
    for (let i = 0; i < this.bytes.length; i++) n += this.bytes[i];
    this.count = n;
  }

  // Base 64 of the bits, row by row, the first pixel in the highest bit.
  pack() {
    const packed = new Uint8Array(Math.ceil(this.bytes.length / 8));
    for (let i = 0; i < this.bytes.length; i++) if (this.bytes[i]) packed[i >> 3] |= 128 >> (i & 7);
    let text = '';
    for (let i = 0; i < packed.length; i += 8192) text += String.fromCharCode(...packed.subarray(i, i + 8192));
    return btoa(text);
  }

  unpack(text) {
    const packed = bus.bytes(text);
    if (packed.length !== Math.ceil(this.bytes.length / 8)) return;
    for (let i = 0; i < this.bytes.length; i++) this.bytes[i] = packed[i >> 3] >> (7 - (i & 7)) & 1;
    this.mark(this.whole);
    this.recount();
  }

  // The mask as a picture: white is hidden.
  picture() {
    const canvas = document.createElement('canvas');
    sized(canvas, this.w, this.h);
    const c = canvas.getContext('2d');
    c.drawImage(this.canvas, 0, 0);
    c.globalCompositeOperation = 'source-in';
    c.fillStyle = '#fff';
    c.fillRect(0, 0, this.w, this.h);
    c.globalCompositeOperation = 'destination-over';
    c.fillStyle = '#000';
    c.fillRect(0, 0, this.w, this.h);
    return canvas;
  }
}

function cut(bytes, width, [x, y, w, h]) {
  const part = new Uint8Array(w * h);
  for (let row = 0; row < h; row++) part.set(bytes.subarray((y + row) * width + x, (y + row) * width + x + w), row * w);
  return part;
}
