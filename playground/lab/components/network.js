// The network as a drawing that follows the controls: a bar for each dense layer, a stack of maps for each convolution,
// the code as a cell for each entry, lit by its mean activation. The first held-out image goes in, its reconstruction
// comes out. data: {job, shape, layers: [{part, kind, shape, units, parameters}]}.
export default function ({ data, parentElement: root }) {
  const state = bus.once(root, start);
  state.data = data;
  bus.follow(data.job);
  draw(state);
  live(state);
}

function start(root) {
  const s = { root, box: $(root, '.ap'), host: $(root, '.net') };
  new ResizeObserver(() => { if (s.data) { draw(s); live(s); } }).observe(s.host);
  onTheme(() => live(s));
  bus.listen(s.box, framed(() => live(s)));
  return s;
}

// What the run says: the two pictures and the cells' opacity.
function live(s) {
  const run = bus.run, view = run?.view;
  if (!view || !s.cells) return;
  const activity = view.activity;
  s.cells.forEach((cell, i) => { cell.style.opacity = (.1 + .9 * (activity[Math.floor(i * activity.length / s.cells.length)] ?? 0) / 255).toFixed(2); });
  if (!run.shown || !view.output) return;
  const low = rgb(s.box, 'low'), high = rgb(s.box, 'high');
  for (const [query, raw] of [['canvas.input', view.seen || run.shown], ['canvas.output', view.output]]) {
    const canvas = $(s.root, query), dpr = devicePixelRatio || 1, side = Math.round(s.side * dpr);
    if (!side) continue;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const c = canvas.getContext('2d');
    c.clearRect(0, 0, side, side);
    isPlane(run.shape) ? dots(s, c, raw, side, run) : picture(s, c, raw, side, run, low, high);
  }
}

function picture(s, c, raw, side, run, low, high) {
  const [, , h, w] = run.shown_shape, tile = s.tile ||= document.createElement('canvas');
  Object.assign(tile, { width: w, height: h });
  const t = tile.getContext('2d', { willReadFrequently: true }), image = t.createImageData(w, h);
  paint(image.data, raw, run.shown_shape, 0, run.ink, low, high);
  t.putImageData(image, 0, 0);
  const k = side / Math.max(w, h), pw = Math.round(w * k), ph = Math.round(h * k);
  enlarge(c, tile, Math.floor((side - pw) / 2), Math.floor((side - ph) / 2), pw, ph);
}

function dots(s, c, raw, side, run) {
  c.fillStyle = css(rgb(s.box, 'accent'));
  for (let i = 0; i < run.shown_shape[0]; i++) c.fillRect(raw[2 * i] / 255 * side - 1, side - raw[2 * i + 1] / 255 * side - 1, 2.5, 2.5);
}

const label = layer => layer.shape.length === 3 ? `${layer.shape[0]}×${layer.shape[1]}×${layer.shape[2]}` : count(layer.units);

function draw(s) {
  const { layers } = s.data, W = s.host.clientWidth, H = s.host.clientHeight;
  if (!W) return;
  const small = W < 560, top = 18, bottom = 20, room = H - top - bottom;
  s.side = Math.min(room, small ? 48 : 88);
  const cy = top + room / 2, tallest = small ? Math.min(room, 76) : room - 4;
  for (const query of ['canvas.input', 'canvas.output']) Object.assign($(s.root, query).style, { width: `${s.side}px`, height: `${s.side}px`, top: `${cy - s.side / 2}px` });
  const g = svg('svg', { width: W, height: H, role: 'img', 'aria-label': 'Network: ' + layers.map(l => `${l.part} ${label(l)}`).join(', ') });
  g.innerHTML = '<defs><linearGradient id="in"><stop offset="0" class="g0"/><stop offset="1" class="g1"/></linearGradient><linearGradient id="out"><stop offset="0" class="g1"/><stop offset="1" class="g0"/></linearGradient></defs>';
  const glyphs = measure(s, layers, W, tallest, small), code = layers.findIndex(l => l.part === 'code');
  flows(g, layers, glyphs, code, cy, small);
  const joined = skips(g, layers, glyphs, code, cy);
  layers.forEach((layer, i) => glyph(s, g, layer, glyphs[i], cy, small, glyphs));
  captions(s, g, glyphs, code, W, H, cy, small, joined);
  $(s.root, '.drawing').replaceChildren(g);
  totals(s, layers, code, joined);
}

// Place and size of every layer's glyph. Heights grow with units^0.4, sides of maps with the square root of their side:
// large differences stay visible without the small ones vanishing.
function measure(s, layers, W, tallest, small) {
  const dense = layers.filter(l => l.shape.length === 1), convolutional = layers.some((l, i) => l.shape.length === 3 && i > 0 && i < layers.length - 1);
  const most = Math.max(...layers.map(l => l.units)), biggest = Math.max(...layers.filter(l => l.shape.length === 3).map(l => Math.max(l.shape[1], l.shape[2])));
  const glyphs = layers.map(layer => {
    if (layer.part === 'code') return cells(layer.units, Math.max(12, tallest * Math.min(.8, (layer.units / most) ** .4 + .1)), small);
    if (convolutional && layer.shape.length === 3) {
      const [c, h, w] = layer.shape, k = tallest * .74 / Math.sqrt(biggest), sheets = Math.max(1, Math.min(small ? 4 : 8, Math.round(1 + 1.4 * Math.log2(c))));
      const width = Math.max(5, k * Math.sqrt(w) * .62), height = Math.max(7, k * Math.sqrt(h)), off = small ? 1.6 : 2.6;
      return { kind: 'maps', sheets, off, w: width + (sheets - 1) * off, h: height + (sheets - 1) * off, sheetW: width, sheetH: height };
    }
    return { kind: 'bar', w: small ? 7 : 12, h: Math.max(10, tallest * (layer.units / most) ** .4) };
  });
  const left = s.side + (small ? 12 : 28), free = W - 2 * left - glyphs.reduce((sum, one) => sum + one.w, 0), gap = Math.max(2, free / Math.max(1, layers.length - 1));
  let x = left;
  for (const one of glyphs) { one.x = x; one.mid = x + one.w / 2; x += one.w + gap; }
  return glyphs;
}

// One cell for each code entry, up to 128, in a box at least as large as is easy to see.
function cells(units, height, small) {
  const shown = Math.min(units, small ? 48 : 128), most = Math.max(1, Math.min(shown, Math.floor(height / (small ? 6 : 8))));
  let rows = most;
  while (rows > most / 2 && shown % rows) rows--;  // full columns where a number of rows near by gives them
  if (shown % rows) rows = most;
  const columns = Math.ceil(shown / rows);
  const w = Math.min(10, (small ? 44 : 116) / columns), h = Math.min(10, Math.max(height, 10) / rows);
  return { kind: 'code', shown, rows, columns, cellW: w, cellH: h, w: Math.max(columns * w + 10, 22), h: Math.max(rows * h + 10, 20) };
}

function flows(g, layers, glyphs, code, cy, small) {
  for (let i = 1; i < layers.length; i++) {
    const a = glyphs[i - 1], b = glyphs[i], p = a.x + a.w + 2, q = b.x - 2, bend = (q - p) * .45;
    if (q > p) g.append(svg('path', {
      fill: i === code ? 'url(#in)' : i === code + 1 ? 'url(#out)' : 'var(--ap-panel)',
      d: `M${p},${cy - a.h / 2} C${p + bend},${cy - a.h / 2} ${q - bend},${cy - b.h / 2} ${q},${cy - b.h / 2} V${cy + b.h / 2} C${q - bend},${cy + b.h / 2} ${p + bend},${cy + a.h / 2} ${p},${cy + a.h / 2} Z`,
    }));
    const words = count(layers[i].parameters);
    if (!small && q - p > words.length * 6 + 6) {
      const text = svg('text', { class: 'par', x: (p + q) / 2, y: cy + 4, 'text-anchor': 'middle' }, words);
      text.append(svg('title', {}, `${words} weights and biases`));
      g.append(text);
    }
  }
}

// Skip connections: a line below from each level of the way down to the layer of the way up that is given its maps too.
function skips(g, layers, glyphs, code, cy) {
  const ups = layers.map((layer, i) => i).filter(i => i > code && layers[i].kind.includes('skip'));
  for (const up of ups) {
    const from = glyphs[2 * code - up], to = glyphs[up], below = cy + Math.max(from.h, to.h, glyphs[code].h) / 2 + 8;
    g.append(svg('path', { class: 'skip', d: `M${from.mid},${cy + from.h / 2} C${from.mid},${below} ${to.mid},${below} ${to.mid},${cy + to.h / 2}` }));
  }
  return ups.length > 0;
}

function glyph(s, g, layer, one, cy, small, all) {
  const y = cy - one.h / 2;
  if (one.kind === 'bar') {
    g.append(svg('rect', { class: 'bar ' + layer.part, x: one.x, y, width: one.w, height: one.h, rx: 2 }));
  } else if (one.kind === 'maps') {
    for (let k = one.sheets - 1; k >= 0; k--) g.append(svg('rect', {
      class: 'sheet' + (k ? '' : ' front'), x: one.x + k * one.off, y: y + (one.sheets - 1 - k) * one.off, width: one.sheetW, height: one.sheetH, rx: 1,
    }));
  } else {
    const left = one.mid - one.columns * one.cellW / 2;
    s.cells = [];
    g.append(svg('rect', { class: 'codebox', x: one.x, y, width: one.w, height: one.h, rx: 4 }));
    for (let j = 0; j < one.shown; j++) {
      const cell = svg('rect', {
        class: 'cell', x: left + Math.floor(j / one.rows) * one.cellW + .75, y: cy - one.rows * one.cellH / 2 + (j % one.rows) * one.cellH + .75,
        width: one.cellW - 1.5, height: one.cellH - 1.5, rx: 1,
      });
      s.cells.push(cell);
      g.append(cell);
    }
  }
  const words = label(layer), spacing = all.length > 1 ? all[1].mid - all[0].mid : 100, tight = small && all.length > 7;
  const inner = layer.part === 'encoder' || layer.part === 'decoder', narrow = words.length * 6.4 > spacing;
  if (inner && small && (tight || words.length * 5 > spacing)) return;
  const text = svg('text', { class: 'units' + (layer.part === 'code' ? ' code' : '') + (narrow ? ' small' : ''), x: one.mid, y: y - 6, 'text-anchor': 'middle' }, small && layer.shape.length === 3 ? count(layer.units) : words);
  text.append(svg('title', {}, `${layer.kind}: ${words}, ${count(layer.parameters)} weights and biases`));
  g.append(text);
}

function captions(s, g, glyphs, code, W, H, cy, small, joined) {
  const first = glyphs[0], last = glyphs.at(-1), box = glyphs[code];
  for (const [a, b] of [[s.side + 3, first.x - 3], [last.x + last.w + 3, W - s.side - 3]]) {
    if (b - a > 6) g.append(svg('path', { class: 'arrow', d: `M${a},${cy}H${b}m-4,-3.5l4,3.5l-4,3.5` }));
  }
  const say = (text, x, kind = '') => g.append(svg('text', { class: 'part ' + kind, x, y: H - 4, 'text-anchor': 'middle' }, text));
  say('input x', s.side / 2);
  say('output x̂', W - s.side / 2);
  g.append(svg('text', { class: 'part code', x: box.mid, y: Math.min(cy + box.h / 2 + 16, H - 4), 'text-anchor': 'middle' }, joined ? 'middle' : 'code h'));
  if (small) return;
  for (const [text, a, b] of [['encoder E', first.x, box.x - 26], ['decoder D', box.x + box.w + 26, last.x + last.w]]) {
    const middle = (a + b) / 2;
    if (b - a < 90) continue;
    g.append(svg('path', { class: 'brace', d: `M${a},${H - 13}v4.5H${middle - 36}M${middle + 36},${H - 8.5}H${b}v-4.5` }));
    say(text, middle);
  }
}

function totals(s, layers, code, joined) {
  const total = layers.reduce((sum, l) => sum + l.parameters, 0), pixels = layers[0].units, numbers = layers[code].units;
  const plane = isPlane(s.data.shape), word = plane ? 'coordinates' : s.data.shape[0] === 3 ? 'values' : 'pixels', ratio = pixels / numbers;
  put($(s.root, '.sub'), `${count(total)} parameters`);
  put($(s.root, '.ratio'), joined ? 'skip connections lead around the middle' : `${count(pixels)} ${word} → ${count(numbers)} number${numbers > 1 ? 's' : ''}, `
    + (ratio > 1 ? `${ratio.toFixed(ratio < 10 && ratio % 1 ? 1 : 0)} : 1` : 'overcomplete'));
  s.box.dataset.parameters = total;
  s.box.dataset.layers = layers.length;
}
