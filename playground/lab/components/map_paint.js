// What the map is painted with: soft discs, the density relief, the decoded mosaic, and thumbnails as coloured ink.
const ease = t => t < .5 ? 4 * t * t * t : 1 - (-2 * t + 2) ** 3 / 2;
const SPAN = 1.06; // how far the decoded grid and the relief go beyond the frame [-1, 1]
const HUES = 10;
const LEVELS = [.05, .22, .5, .85]; // of the peak density: where the relief has its steps

// Points are blended into a pixel buffer by hand: 5,000 discs cost 2 ms, with or without a GPU.
class Splats {
  constructor(width, height, dpr, n) {
    this.radius = clamp(Math.sqrt(width * height / (dpr * dpr) / Math.max(n, 300)) * .2, 1.4, 3.4);
    const r = this.radius * dpr, z = this.box = Math.ceil(2 * r + 2.5);
    this.discs = Array.from({ length: 16 }, (_, k) => { // one disc at 4 × 4 places within a pixel, as coverage 0 to 255
      const u = (k % 4) / 4, v = Math.floor(k / 4) / 4, a = new Uint8Array(z * z);
      for (let y = 0; y < z; y++) for (let x = 0; x < z; x++) {
        a[y * z + x] = 255 * clamp(r + .5 - Math.hypot(x + .5 - z / 2 - u + .5, y + .5 - z / 2 - v + .5), 0, 1);
      }
      return a;
    });
    this.buffer = new ImageData(width, height);
    this.layer = new OffscreenCanvas(width, height);
  }

  clear() { this.buffer.data.fill(0); }

  // A disc over what is there; tint holds r, g, b of point i.
  put(x, y, tint, i, alpha) {
    const { width: W, height: H, data: D } = this.buffer, z = this.box;
    const X = x - z / 2, Y = y - z / 2, x0 = Math.floor(X), y0 = Math.floor(Y);
    if (x0 < 0 || y0 < 0 || x0 + z > W || y0 + z > H) return;
    const disc = this.discs[Math.floor((Y - y0) * 4) * 4 + Math.floor((X - x0) * 4)];
    const r = tint[3 * i], g = tint[3 * i + 1], b = tint[3 * i + 2];
    for (let j = 0, q = 0; j < z; j++) for (let k = 0, o = 4 * ((y0 + j) * W + x0); k < z; k++, q++, o += 4) {
      const s = disc[q] * alpha;
      if (s < 1) continue;
      const sum = s + D[o + 3] * (255 - s) / 255, f = s / sum;
      D[o] += (r - D[o]) * f;
      D[o + 1] += (g - D[o + 1]) * f;
      D[o + 2] += (b - D[o + 2]) * f;
      D[o + 3] = sum;
    }
  }

  show(context, width, height) {
    this.layer.getContext('2d').putImageData(this.buffer, 0, 0);
    context.drawImage(this.layer, 0, 0, width, height);
  }
}

// Densities on an m × m grid, one per group: counts, then three box blurs, which come close to a Gaussian.
function densities(places, n, group, groups, m, radius) {
  const all = Array.from({ length: groups }, () => new Float32Array(m * m)), spare = new Float32Array(m * m);
  for (let i = 0; i < n; i++) {
    const c = Math.floor((places[2 * i] / SPAN + 1) / 2 * m), r = Math.floor((1 - (places[2 * i + 1] / SPAN + 1) / 2) * m);
    if (c >= 0 && r >= 0 && c < m && r < m) all[group[i] % groups][r * m + c] += 1;
  }
  for (const f of all) for (let k = 0; k < 3; k++) {
    blurLines(f, spare, m, radius, 1, m);
    blurLines(spare, f, m, radius, m, 1);
  }
  return all;
}

function blurLines(from, to, m, radius, step, line) {
  for (let l = 0; l < m; l++) for (let i = -radius, sum = 0; i < m; i++) {
    if (i + radius < m) sum += from[l * line + (i + radius) * step];
    if (i - radius - 1 >= 0) sum -= from[l * line + (i - radius - 1) * step];
    if (i >= 0) to[l * line + i * step] = sum / (2 * radius + 1);
  }
}

const HIGHER_CONTRAST = 34; // opacity that a step's line adds
function relief(places, n, group, hues, dark) {
  const m = 320, all = densities(places, n, group, hues.length, m, 4), sum = new Float32Array(m * m);
  for (const f of all) for (let i = 0; i < sum.length; i++) sum[i] += f[i];
  const some = sum.filter((_, i) => i % 7 === 0).sort(), peak = some.at(-Math.max(1, Math.floor(some.length * .015))) || 1;
  const steps = LEVELS.map(v => v * peak), level = v => steps.reduce((count, s) => count + (v > s), 0);
  const picture = new OffscreenCanvas(m, m), context = picture.getContext('2d'), image = context.createImageData(m, m);
  for (let i = 0; i < sum.length; i++) {
    if (sum[i] < steps[0] * .6) continue;
    const soft = steps.reduce((a, s) => a + clamp((sum[i] - s * .86) / (s * .28), 0, 1), 0);
    const line = level(sum[i]) !== level(sum[i + 1] || 0) || level(sum[i]) !== level(sum[i + m] || 0);
    image.data.set(mixed(all, i, hues), 4 * i);
    image.data[4 * i + 3] = Math.min(255, soft * (dark ? 24 : 22) + (line ? HIGHER_CONTRAST : 0));
  }
  context.putImageData(image, 0, 0);
  return picture;
}

// The groups' hues at place i, weighted by their density squared: the densest wins, borders blend.
function mixed(all, i, hues) {
  let r = 0, g = 0, b = 0, w = 1e-12;
  for (let c = 0; c < hues.length; c++) {
    const k = all[c][i] ** 2;
    w += k;
    r += k * hues[c][0];
    g += k * hues[c][1];
    b += k * hues[c][2];
  }
  return [r / w, g / w, b / w];
}

// The decoded grid as a picture. Ink takes the hue of the nearest codes and fades where there are none.
function mosaic(grid, places, n, group, hues, neutral) {
  const { side, w, h } = grid, picture = new OffscreenCanvas(side * w, side * h), context = picture.getContext('2d');
  const all = densities(places, n, group, hues.length, side, 1), near = new Float32Array(side * side);
  for (const f of all) for (let i = 0; i < near.length; i++) near[i] += f[i];
  const { grey } = grid;
  if (grey) {
    const image = context.createImageData(side * w, side * h), wide = side * w;
    for (let r = 0; r < side; r++) for (let c = 0; c < side; c++) {
      const q = r * side + c, hue = near[q] > .01 ? mixed(all, q, hues) : neutral, k = clamp(near[q] / .25, .1, 1);
      const from = ((side - 1 - r) * h * side + c) * w;
      for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
        const o = 4 * ((r * h + y) * wide + c * w + x);
        image.data.set(hue, o);
        image.data[o + 3] = grey[from + y * wide + x] * k;
      }
    }
    context.putImageData(image, 0, 0);
    return picture;
  }
  for (let r = 0; r < side; r++) for (let c = 0; c < side; c++) {
    context.globalAlpha = clamp(near[r * side + c] / .25, .12, 1);
    context.drawImage(grid.picture, c * w, (side - 1 - r) * h, w, h, c * w, r * h, w, h);
  }
  return picture;
}

// Every thumbnail as ink in its point's colour on nothing.
function inkSheet(sheet, n, tint) {
  const { w, h, columns, grey } = sheet, { width: wide, height: tall } = sheet.picture, image = new ImageData(wide, tall);
  for (let i = 0; i < n; i++) {
    const x0 = (i % columns) * w, y0 = Math.floor(i / columns) * h, r = tint[3 * i], g = tint[3 * i + 1], b = tint[3 * i + 2];
    for (let y = 0; y < h; y++) for (let x = 0, p = (y0 + y) * wide + x0; x < w; x++, p++) {
      image.data[4 * p] = r;
      image.data[4 * p + 1] = g;
      image.data[4 * p + 2] = b;
      image.data[4 * p + 3] = grey[p];
    }
  }
  const picture = new OffscreenCanvas(wide, tall);
  picture.getContext('2d').putImageData(image, 0, 0);
  return picture;
}

// Where each class is densest: its name stands there.
function densest(places, n, labels, present) {
  const m = 64, groups = Math.max(...present) + 1, all = densities(places, n, labels, groups, m, 2);
  return present.map(c => {
    let k = 0;
    all[c].forEach((v, i) => { if (v > all[c][k]) k = i; });
    return { c, x: ((k % m + .5) / m * 2 - 1) * SPAN, y: -((Math.floor(k / m) + .5) / m * 2 - 1) * SPAN };
  });
}

// A mark with a rim of the ground's colour, so that it is seen on anything.
function haloed(context, ground, draw, width, colour, dash = []) {
  context.lineCap = context.lineJoin = 'round';
  context.setLineDash([]);
  context.beginPath();
  draw();
  Object.assign(context, { lineWidth: width + 3.5, strokeStyle: ground, globalAlpha: .85 });
  context.stroke();
  context.setLineDash(dash);
  Object.assign(context, { lineWidth: width, strokeStyle: colour, globalAlpha: 1 });
  context.stroke();
  context.setLineDash([]);
}
