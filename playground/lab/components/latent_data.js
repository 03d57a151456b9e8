// What the page asks of the explorer's routes, and sheets of equal tiles to look up pictures without a request.
class Asker {
  constructor(name) { this.name = name; this.digest = ''; this.knobs = {}; }

  address(path, more = {}) {
    const url = new URL(`/explore/${encodeURIComponent(this.name)}${path ? '/' + path : ''}`, document.baseURI);
    for (const [key, value] of Object.entries({ ...this.knobs, ...more, digest: more.digest ?? this.digest })) {
      if (value !== '' && value != null) url.searchParams.set(key, value);
    }
    return url;
  }

  async get(path, more) { return answered(await reach(this.address(path, more))); }
  async json(path, more) { return (await this.get(path, more)).json(); }

  async post(path, question, map = this.knobs) {
    const body = JSON.stringify({ ...question, map, digest: this.digest });
    return answered(await reach(this.address(path, { digest: '' }), { method: 'POST', body, headers: { 'Content-Type': 'application/json' } }));
  }

  // Arrays by name, looked at where they lie in the answer.
  async arrays(path, more) {
    const buffer = await (await this.get(path, more)).arrayBuffer(), length = new DataView(buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const kinds = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array };
    return Object.fromEntries(head.fields.map(({ name, dtype, shape, offset }) =>
      [name, new kinds[dtype](buffer, offset, shape.reduce((a, b) => a * b, 1))]));
  }

  async sheet(path, more, ink, look) {
    const answer = await this.get(path, more), columns = Number(answer.headers.get('X-Columns') ?? more?.side);
    const bitmap = await createImageBitmap(await answer.blob()), tile = answer.headers.get('X-Tile')?.split(',').map(Number);
    return tiles => new Sheet(bitmap, tile ?? tiles, columns, ink, look);
  }
}

const floats = text => new Float32Array(bus.bytes(text).buffer);

// Equal tiles (c, h, w) side by side. Ink: grey handwriting, shown in the theme's two colours, tile by tile as it is asked for.
class Sheet {
  constructor(picture, [, h, w], columns, ink, look) {
    Object.assign(this, { picture, w, h, columns: Math.min(columns, Math.round(picture.width / w)), side: columns, ink });
    this.theme(look);
  }

  theme(look) { this.table = this.ink ? inkTable(look) : null; }

  // All tiles' grey levels: what draws every tile at once needs them.
  get grey() {
    if (!this.ink) return null;
    if (!this.greys) {
      const { width, height } = this.picture, c = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
      c.drawImage(this.picture, 0, 0);
      const raw = c.getImageData(0, 0, width, height).data;
      this.greys = Uint8Array.from({ length: raw.length / 4 }, (_, i) => raw[4 * i]);
    }
    return this.greys;
  }

  from(i) { return [(i % this.columns) * this.w, Math.floor(i / this.columns) * this.h, this.w, this.h]; }

  onto(canvas) {
    sized(canvas, this.w, this.h);
    return canvas.getContext('2d', { willReadFrequently: true });
  }

  show(canvas, i) {
    const c = this.onto(canvas);
    c.drawImage(this.picture, ...this.from(i), 0, 0, this.w, this.h);
    this.inked(c);
  }

  inked(c) {
    if (!this.ink) return;
    const image = c.getImageData(0, 0, this.w, this.h), words = new Uint32Array(image.data.buffer);
    for (let i = 0; i < words.length; i++) words[i] = this.table[words[i] & 255];
    c.putImageData(image, 0, 0);
  }

  // The decoded grid between its four nearest cells: four pictures added up by weight, no request.
  blend(canvas, x, y) {
    const m = this.side, place = v => clamp((v / SPAN + 1) / 2 * m - .5, 0, m - 1.001), fx = place(x), fy = place(y);
    const i = Math.floor(fx), j = Math.floor(fy), u = fx - i, v = fy - j, c = this.onto(canvas);
    c.globalCompositeOperation = 'copy';
    c.fillStyle = '#000';
    c.fillRect(0, 0, this.w, this.h);
    c.globalCompositeOperation = 'lighter';
    for (const [di, dj, weight] of [[0, 0, (1 - u) * (1 - v)], [1, 0, u * (1 - v)], [0, 1, (1 - u) * v], [1, 1, u * v]]) {
      c.globalAlpha = weight;
      c.drawImage(this.picture, ...this.from((j + dj) * this.columns + i + di), 0, 0, this.w, this.h);
    }
    c.globalAlpha = 1;
    c.globalCompositeOperation = 'source-over';
    this.inked(c);
  }
}

function inkTable([low, high]) {
  const table = new Uint32Array(256);
  for (let v = 0; v < 256; v++) {
    const [r, g, b] = low.map((l, k) => Math.round(l + (high[k] - l) * v / 255));
    table[v] = (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  }
  return table;
}

// A picture at a data address as a Sheet of tiles [c, h, w].
async function strip(url, tile, ink, look) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return new Sheet(image, tile ?? [1, image.height, image.width], Math.round(image.width / (tile?.[2] ?? image.width)), ink, look);
}

// Handwriting lies on black: then the tiles' rims are dark. Photographs must not become their own negatives.
function onBlack(bitmap, [c, h, w], columns, n) {
  if (c !== 1 || h < 3) return false;
  const canvas = new OffscreenCanvas(bitmap.width, h), context = canvas.getContext('2d'), many = Math.min(n, columns);
  context.drawImage(bitmap, 0, 0);
  const raw = context.getImageData(0, 0, many * w, h).data;
  let sum = 0;
  for (let x = 0; x < many * w; x++) sum += raw[4 * x] + raw[4 * ((h - 1) * many * w + x)];
  return sum / (2 * many * w) < 40;
}

// One request in the air; while it flies only the newest of each kind waits. Sliders and drags may call this at will.
function courier() {
  const waiting = new Map();
  let flying = false;
  const go = async () => {
    if (flying || !waiting.size) return;
    const [kind, send] = waiting.entries().next().value;
    waiting.delete(kind);
    flying = true;
    try { await send(); } finally { flying = false; go(); }
  };
  return (kind, send) => { waiting.delete(kind); waiting.set(kind, send); go(); };
}
