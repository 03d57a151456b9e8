// The map: one canvas for the points, one above it for all that follows the pointer. y grows upwards, as in a plot.
const FLY = 350, GLIDE = 1100, ZOOM = [.6, 40], CLOSE = 3, EDGE = 70; // ms; ms; least and most; where thumbnails replace dots; pixels
const LEAST = .4; // of the map that is seen at zoom 1, where all codes are one point

class LatentMap {
  constructor(host, on) {
    Object.assign(this, {
      host, on, view: { x: 0, y: 0, zoom: 1 }, tool: 'move', backdrop: 'density', marks: 'dots', pins: {}, only: null,
      chosen: null, group: null, path: null, t: null, hot: -1, cursor: null, loop: null, live: false, pos: null, n: 0,
    });
    this.base = host.appendChild(tag('canvas', { class: 'base' }));
    this.top = host.appendChild(tag('canvas', { class: 'top' }));
    new ResizeObserver(() => this.resize()).observe(host);
    handsOn(this);
    this.theme();
    onTheme(() => { this.theme(); this.on.theme?.(); this.draw(); });
  }

  theme() {
    for (const name of ['ink', 'page', 'accent', 'ghost']) this[name] = rgb(this.host, name);
    this.hues = Array.from({ length: HUES }, (_, i) => rgb(this.host, 'c' + i));
    this.dark = this.page[0] < 128;
    this.forget();
  }

  forget() { this.splats = this.inks = null; this.reliefs = {}; this.mosaics = {}; this.spots = {}; }

  // A new space: its points have no places yet. group: hue of each point, tint: its colour as r, g, b.
  begin({ labels, thumbs, classes, plane, line }) {
    Object.assign(this, { labels, thumbs, classes, plane, line, places: {}, grids: {}, pins: {}, group: null, path: null, chosen: null });
    this.present = [...new Set(labels)].sort((a, b) => a - b);
    this.only = this.loop = null;
    this.pos = null;
    this.forget();
  }

  paintWith(tint, plain) {
    this.tint = tint;
    this.plain = plain; // colours that are no classes: the relief is then grey
    this.forget();
    this.draw();
  }

  // Geometry ---------------------------------------------------------------------------------------------------------

  resize() {
    const { width, height } = this.host.getBoundingClientRect(), d = this.dpr = devicePixelRatio || 1;
    if (!width || !height) return;
    this.w = width;
    this.h = height;
    for (const c of [this.base, this.top]) Object.assign(c, { width: Math.round(width * d), height: Math.round(height * d) });
    this.splats = null;
    if (!this.pos) return;
    this.unit = this.fitted(this.box());
    this.draw();
  }

  // The middle and size of nearly all points: single ones far out do not make the rest small.
  box(p = this.places[this.key] ?? this.pos) {
    const n = p.length / 2, q = Math.floor(n * .002), side = k => {
      const v = Float32Array.from({ length: n }, (_, i) => p[2 * i + k]).sort();
      return [v[q], v[n - 1 - q]];
    };
    const [x0, x1] = side(0), [y0, y1] = side(1);
    return { w: Math.max(x1 - x0, LEAST), h: Math.max(y1 - y0, LEAST), x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
  }

  fitted(b) { return Math.min((this.w - (this.w < 500 ? 116 : 90)) / b.w, (this.h - (this.w < 500 ? 130 : 140)) / b.h); }
  get s() { return this.unit * this.view.zoom; }
  sx(x) { return this.w / 2 + (x - this.view.x) * this.s; }
  sy(y) { return this.h / 2 - (y - this.view.y) * this.s; }
  wx(x) { return this.view.x + (x - this.w / 2) / this.s; }
  wy(y) { return this.view.y - (y - this.h / 2) / this.s; }
  at(i) { return [this.pos[2 * i], this.pos[2 * i + 1]]; }

  fit(smooth = true) {
    if (!this.pos) return;
    const b = this.box(), to = { x: b.x, y: b.y, zoom: 1 };
    this.unit = this.fitted(b);
    if (smooth) return this.fly(to);
    this.view = to;
    this.draw();
  }

  fly(to) {
    const from = { ...this.view }, started = performance.now(), step = now => {
      const k = ease(clamp((now - started) / FLY, 0, 1));
      for (const a of ['x', 'y', 'zoom']) this.view[a] = from[a] + (to[a] - from[a]) * k;
      this.draw();
      if (k < 1) return requestAnimationFrame(step);
      delete this.host.dataset.flying;
    };
    this.host.dataset.flying = 'true';
    requestAnimationFrame(step);
  }

  // Pan just far enough for a place to be seen: the plane of principal directions has room beyond the points.
  reveal(x, y) {
    const over = (at, size) => Math.min(at - EDGE, 0) + Math.max(at - size + EDGE, 0), dx = over(this.sx(x), this.w), dy = over(this.sy(y), this.h);
    if (dx || dy) this.fly({ ...this.view, x: this.view.x + dx / this.s, y: this.view.y - dy / this.s });
  }

  zoomBy(k) { this.fly({ ...this.view, zoom: clamp(this.view.zoom * k, ...ZOOM) }); }

  zoomAt(px, py, k) {
    const x = this.wx(px), y = this.wy(py);
    this.view.zoom = clamp(this.view.zoom * k, ...ZOOM);
    this.view.x = x - (px - this.w / 2) / this.s;
    this.view.y = y + (py - this.h / 2) / this.s;
    this.later();
  }

  nearest(px, py, reach = 1e9) {
    const x = this.wx(px), y = this.wy(py), { pos, n } = this;
    let best = -1, least = (reach / this.s) ** 2;
    for (let i = 0; i < n; i++) {
      const d = (pos[2 * i] - x) ** 2 + (pos[2 * i + 1] - y) ** 2;
      if (d < least && (this.only === null || this.labels[i] === this.only)) { least = d; best = i; }
    }
    return best;
  }

  // Places -----------------------------------------------------------------------------------------------------------

  // Show the points at other places: at once the first time, else they travel, class after class.
  show(key, places) {
    const n = places.length / 2, before = this.pos, known = before ? before.length / 2 : 0;
    this.places[key] = places;
    this.live = false;
    this.target = null;
    Object.assign(this, { loop: null, group: null, key, n });
    this.splats = null;
    if (!before || matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.pos = places.slice();
      this.gliding = false;
      this.fit(false);
      this.on.arrived?.(key);
      return;
    }
    this.pos = places.slice(); // points that were not drawn before begin where they belong
    this.pos.set(before.subarray(0, 2 * Math.min(n, known)));
    this.glide(places);
  }

  glide(to) {
    const n = this.n, from = this.pos.slice(), v = { ...this.view }, u = this.unit, b = this.box(to), unit = this.fitted(b);
    const last = Math.max(1, this.present.at(-1)), started = performance.now(), run = this.gliding = {}, frames = this.frames = [];
    this.chosen = this.path = null;
    const step = now => {
      if (this.gliding !== run) return;
      frames.push(now);
      const k = clamp((now - started) / GLIDE, 0, 1), c = ease(k);
      for (let i = 0; i < n; i++) {
        const e = ease(clamp((k - .25 * this.labels[i] / last) / .75, 0, 1));
        this.pos[2 * i] = from[2 * i] + (to[2 * i] - from[2 * i]) * e;
        this.pos[2 * i + 1] = from[2 * i + 1] + (to[2 * i + 1] - from[2 * i + 1]) * e;
      }
      this.unit = u + (unit - u) * c;
      this.view = { x: v.x + (b.x - v.x) * c, y: v.y + (b.y - v.y) * c, zoom: v.zoom + (1 - v.zoom) * c };
      this.shade = k < .5 ? Math.max(0, 1 - k * 6) : Math.max(0, (k - .85) / .15);
      if (k === 1) this.gliding = null;
      this.draw();
      if (k < 1) requestAnimationFrame(step); else this.on.arrived?.(this.key);
    };
    requestAnimationFrame(step);
  }

  // The points as a run has them now, or had them: they move there softly. n: how many of them there are.
  follow(places) {
    const n = places.length / 2, fresh = !this.live || !this.pos || this.n !== n;
    this.gliding = null;
    if (fresh) {
      this.pos = this.pos && this.pos.length >= 2 * n ? this.pos.slice(0, 2 * n) : places.slice();
      Object.assign(this, { live: true, n, splats: null, chosen: null, path: null, group: null, loop: null, hot: -1 });
    }
    this.target = places;
    this.key = 'live';
    this.moving ||= requestAnimationFrame(() => this.drift());
  }

  drift() {
    this.moving = 0;
    if (!this.target || !this.live) return;
    let far = 0;
    for (let i = 0; i < 2 * this.n; i++) {
      const d = this.target[i] - this.pos[i];
      this.pos[i] += d * .25;
      far = Math.max(far, Math.abs(d));
    }
    const b = this.box(this.target), unit = this.fitted(b), k = .15;
    this.unit += (unit - this.unit) * k;
    for (const a of ['x', 'y']) this.view[a] += (b[a] - this.view[a]) * k;
    this.view.zoom += (1 - this.view.zoom) * k;
    this.draw();
    if (far * this.s > .5 || Math.abs(unit / this.unit - 1) > .01) this.moving = requestAnimationFrame(() => this.drift());
  }

  // Drawing ----------------------------------------------------------------------------------------------------------

  later() { this.due ||= requestAnimationFrame(() => { this.due = 0; this.draw(); }); }

  draw() {
    if (!this.pos || !this.w || !this.tint) return;
    const c = this.base.getContext('2d'), d = this.dpr, shade = this.gliding ? this.shade : this.live ? 0 : 1;
    c.setTransform(d, 0, 0, d, 0, 0);
    c.clearRect(0, 0, this.w, this.h);
    if (shade > 0 && this.n > 1) this.drawBackdrop(c, shade);
    this.drawPoints(c);
    if (shade > 0 && this.present.length > 1 && this.places[this.key]) this.drawNames(c, shade);
    this.over();
  }

  get groups() { return this.plain ? new Uint8Array(this.n) : this.labels; }
  get shades() { return this.plain ? [this.ghost] : this.hues; }

  drawBackdrop(c, shade) {
    const { key, n } = this, p = this.places[key], density = this.backdrop === 'density', grid = this.grids[key];
    if (!p || this.backdrop === 'none' || (!density && !grid)) return;
    const picture = density ? this.reliefs[key] ||= relief(p, n, this.groups, this.shades, this.dark)
      : this.mosaics[key] ||= mosaic(grid, p, n, this.groups, this.shades, this.ghost);
    c.globalAlpha = shade * (density ? clamp(1.25 - this.view.zoom / 8, .4, 1) : 1);
    c.imageSmoothingEnabled = true;
    c.imageSmoothingQuality = 'high';
    c.drawImage(picture, this.sx(-SPAN), this.sy(SPAN), 2 * SPAN * this.s, 2 * SPAN * this.s);
    c.globalAlpha = 1;
  }

  drawPoints(c) {
    this.splats ||= new Splats(this.base.width, this.base.height, this.dpr, this.n);
    const { n, pos, labels, w, h, dpr: d, s, splats } = this, ox = w / 2 - this.view.x * s, oy = h / 2 + this.view.y * s;
    const pictures = !this.gliding && !this.plane && this.thumbs && (this.live || this.marks === 'images' || this.view.zoom > CLOSE);
    const size = clamp(20 + 5 * Math.log2(Math.max(1, this.view.zoom)), 20, 46) * (this.live ? 1.15 : 1);
    const free = spaced(size * (this.live ? .3 : .8)), close = [], fade = this.backdrop === 'decoded' && !this.live && !this.gliding ? .22 : 1;
    splats.clear();
    for (let i = 0; i < n; i++) {
      const x = ox + pos[2 * i] * s, y = oy - pos[2 * i + 1] * s;
      if (x < -30 || y < -30 || x > w + 30 || y > h + 30) continue;
      const off = (this.only !== null && labels[i] !== this.only) || (this.group && !this.group.has(i));
      if (pictures && !off && free(x, y)) close.push(i, x, y);
      else splats.put(x * d, y * d, this.tint, i, (off || pictures ? .16 : .82) * fade);
    }
    splats.show(c, w, h);
    if (close.length) this.drawThumbs(c, close, size);
  }

  drawThumbs(c, close, size) {
    const { w, h, columns, ink, picture } = this.thumbs, k = size / Math.max(w, h), tw = w * k, th = h * k;
    const sheet = ink ? this.inks ||= inkSheet(this.thumbs, this.labels.length, this.tint) : picture;
    c.imageSmoothingEnabled = true;
    c.lineWidth = 1.5;
    for (let q = 0; q < close.length; q += 3) {
      const i = close[q], x = close[q + 1] - tw / 2, y = close[q + 2] - th / 2;
      c.drawImage(sheet, (i % columns) * w, Math.floor(i / columns) * h, w, h, x, y, tw, th);
      if (ink) continue;
      c.strokeStyle = css([...this.tint.subarray(3 * i, 3 * i + 3)]);
      c.strokeRect(x, y, tw, th);
    }
  }

  drawNames(c, shade) {
    if (this.present.length > 40 || this.line) return; // along a line heights mean nothing
    this.spots[this.key] ||= densest(this.places[this.key], this.n, this.labels, this.present);
    const long = this.present.some(i => this.classes[i].length > 2), size = (this.w < 500 ? 16 : 22) * (long ? .62 : 1);
    Object.assign(c, { textAlign: 'center', textBaseline: 'middle', lineJoin: 'round', lineWidth: long ? 4 : 5 });
    c.font = `600 ${size}px ${getComputedStyle(this.host).fontFamily}`;
    const free = spaced(size * (long ? 2.4 : .9)); // a name that would cover another one is left out
    for (const { c: label, x, y } of this.spots[this.key]) {
      if (!free(this.sx(x), this.sy(y))) continue;
      c.globalAlpha = shade * (this.only !== null && this.only !== label ? .15 : 1);
      c.strokeStyle = css(this.page);
      c.strokeText(this.classes[label], this.sx(x), this.sy(y));
      c.fillStyle = css(this.ink);
      c.fillText(this.classes[label], this.sx(x), this.sy(y));
    }
    c.globalAlpha = 1;
  }
}

// Whether a place is still free, if things may stand no nearer than `gap`; a place that is asked for is taken.
function spaced(gap) {
  const taken = new Map();
  return (x, y) => {
    const c = Math.floor(x / gap), r = Math.floor(y / gap);
    for (let j = -1; j < 2; j++) for (let i = -1; i < 2; i++) {
      const o = taken.get((r + j) * 4096 + c + i);
      if (o && Math.abs(o[0] - x) < gap && Math.abs(o[1] - y) < gap) return false;
    }
    taken.set(r * 4096 + c, [x, y]);
    return true;
  };
}
