// The upper canvas of the map: path, pins, the chosen place, lasso and cursor; and what choosing does.
Object.assign(LatentMap.prototype, {
  over() {
    const c = this.top.getContext('2d'), d = this.dpr;
    c.setTransform(d, 0, 0, d, 0, 0);
    c.clearRect(0, 0, this.w, this.h);
    if (!this.pos) return;
    if (!this.gliding && !this.live) {
      this.drawPath(c);
      this.drawChosen(c);
      for (const k of ['B', 'A']) this.drawPin(c, k);
    }
    if (this.hot >= 0 && this.hot < this.n) {
      const [x, y] = this.at(this.hot);
      c.beginPath();
      c.arc(this.sx(x), this.sy(y), (this.splats?.radius ?? 2) + 3, 0, 7);
      Object.assign(c, { lineWidth: 1.8, strokeStyle: css(this.ink) });
      c.stroke();
    }
    this.drawLoop(c);
    if (!this.cursor) return;
    const [x, y] = this.cursor;
    haloed(c, css(this.page), () => { c.moveTo(x - 12, y); c.lineTo(x + 12, y); c.moveTo(x, y - 12); c.lineTo(x, y + 12); }, 1.5, css(this.ink));
  },

  drawPath(c) {
    if (!this.path) return;
    haloed(c, css(this.page), () => this.path.forEach(([x, y], i) => c[i ? 'lineTo' : 'moveTo'](this.sx(x), this.sy(y))), 2, css(this.ink));
    if (this.t === null) return;
    const k = this.t * (this.path.length - 1), i = Math.min(Math.floor(k), this.path.length - 2), u = k - i;
    const [a, b] = [this.path[i], this.path[i + 1]];
    c.beginPath();
    c.arc(this.sx(a[0] + (b[0] - a[0]) * u), this.sy(a[1] + (b[1] - a[1]) * u), 6, 0, 7);
    Object.assign(c, { fillStyle: css(this.page), lineWidth: 2.5, strokeStyle: css(this.accent) });
    c.fill();
    c.stroke();
  },

  drawChosen(c) {
    if (!this.chosen) return;
    const x = this.sx(this.chosen.x), y = this.sy(this.chosen.y), colour = css(this.accent), landed = this.chosen.landed;
    const lx = landed && this.sx(landed[0]), ly = landed && this.sy(landed[1]);
    if (landed && Math.hypot(lx - x, ly - y) > 3) {
      haloed(c, css(this.page), () => { c.moveTo(x, y); c.lineTo(lx, ly); }, 1.5, colour, [3, 4]);
      c.beginPath();
      c.arc(lx, ly, 3.5, 0, 7);
      c.fillStyle = colour;
      c.fill();
    }
    haloed(c, css(this.page), () => {
      c.arc(x, y, 9, 0, 7);
      for (const [dx, dy] of [[-1, 0], [1, 0], [0, -1], [0, 1]]) { c.moveTo(x + 14 * dx, y + 14 * dy); c.lineTo(x + 5 * dx, y + 5 * dy); }
    }, 1.6, colour);
  },

  pinAt(k) {
    const pin = this.pins[k];
    if (!pin || !this.pos || (pin.index === undefined && !pin.place)) return null;
    const [x, y] = pin.index !== undefined ? this.at(pin.index) : pin.place;
    return [this.sx(x), this.sy(y)];
  },

  drawPin(c, k) {
    const p = this.pinAt(k);
    if (!p) return;
    const [ground, ink] = [css(this.page), css(this.ink)], first = k === 'A';
    c.beginPath();
    c.arc(...p, 11, 0, 7);
    Object.assign(c, { lineWidth: 4.5, strokeStyle: ground });
    c.stroke();
    c.fillStyle = first ? ink : ground;
    c.fill();
    Object.assign(c, { lineWidth: 2, strokeStyle: ink });
    c.stroke();
    Object.assign(c, { font: `600 12px ${getComputedStyle(this.host).fontFamily}`, textAlign: 'center', textBaseline: 'middle' });
    c.fillStyle = first ? ground : ink;
    c.fillText(k, p[0], p[1] + .5);
  },

  drawLoop(c) {
    if (!(this.loop?.length > 1)) return;
    haloed(c, css(this.page), () => {
      this.loop.forEach(([x, y], i) => c[i ? 'lineTo' : 'moveTo'](this.sx(x), this.sy(y)));
      if (!this.drawing) c.closePath();
    }, 1.6, css(this.accent), [5, 4]);
    Object.assign(c, { globalAlpha: .07, fillStyle: css(this.accent) });
    c.fill();
    c.globalAlpha = 1;
  },

  // What hands do ----------------------------------------------------------------------------------------------------

  point(px, py) {
    if (!this.pos || this.gliding) return;
    this.hot = this.nearest(px, py, 10);
    const near = this.hot >= 0 ? this.hot : this.nearest(px, py);
    this.on.hover?.(near < 0 ? null : { px, py, x: this.wx(px), y: this.wy(py), hot: this.hot, near });
    this.over();
  },

  leave() {
    this.hot = -1;
    this.on.hover?.(null);
    this.over();
  },

  // A point where one is near, else the place itself.
  choose(px, py) {
    if (!this.pos || this.gliding || this.live) return;
    const index = this.nearest(px, py, this.tool === 'ends' ? 1e9 : 7), had = this.group;
    this.loop = this.group = null;
    if (this.tool === 'ends') return this.on.end?.(index);
    const [x, y] = index >= 0 ? this.at(index) : [this.wx(px), this.wy(py)];
    this.chosen = { x, y, index, landed: null };
    this.on.choose?.({ x, y, index });
    had ? this.draw() : this.over();
  },

  clear() {
    Object.assign(this, { loop: null, drawing: false, group: null, cursor: null });
    this.leave();
    this.draw();
    this.on.clear?.();
  },

  closeLasso() {
    const loop = this.loop, inside = (x, y) => {
      let odd = false;
      for (let i = 0, j = loop.length - 1; i < loop.length; j = i++) {
        const [xi, yi] = loop[i], [xj, yj] = loop[j];
        if (yi > y !== yj > y && x < (xj - xi) * (y - yi) / (yj - yi) + xi) odd = !odd;
      }
      return odd;
    };
    const hit = Array.from({ length: this.n }, (_, i) => i)
      .filter(i => (this.only === null || this.labels[i] === this.only) && inside(...this.at(i)));
    this.drawing = false;
    this.group = hit.length ? new Set(hit) : null;
    if (!hit.length) this.loop = null;
    this.chosen = null;
    this.draw();
    this.on.group?.(hit);
  },
});
