// live-reconstructions: eight held-out images, what the encoder saw of them, what came back, and the difference; or, where
// the answer is not the image itself, the right answer.
// Points in the plane, which are no pictures, are drawn where they lie, each with a line to its reconstruction.
const GAP = 2, LINE_HEIGHT = 22;

export default function ({ data, parentElement: root }) {
  const state = bus.once(root, start);
  state.corrupts = data.corrupts;
  bus.follow(data.job);
  state.ask();
}

function start(root) {
  const s = { root, box: $(root, '.ap'), grid: $(root, '.grid'), canvas: $(root, '.pictures canvas'), run: null, shape: '' };
  s.ask = framed(() => draw(s));
  new ResizeObserver(s.ask).observe(s.box);
  onTheme(s.ask);
  bus.listen(s.box, run => { s.run = run; s.ask(); });
  return s;
}

function draw(s) {
  const run = s.run;
  if (!run?.shown || !run.view?.output) return;
  const plane = isPlane(run.shape), shape = JSON.stringify([run.shown_shape, run.shape, run.ink, run.task, !run.truth]);
  if (shape !== s.shape) dress(s, run, plane);
  s.shape = shape;
  Object.assign(s.box.dataset, { step: run.view.step, images: run.shown_shape[0], grades: mean(run.view.grades) });
  plane ? drawPlane(s, run) : drawPictures(s, run);
}

const mean = values => (values.reduce((a, b) => a + b, 0) / values.length).toFixed(2);

// What depends on the kind of images only: legend, heading, which of the two drawings is there.
function dress(s, run, plane) {
  s.grid.hidden = plane;
  $(s.root, '.plane').hidden = !plane;
  const [n, c, h, w] = run.shown_shape, key = $(s.root, '.key');
  const swatch = (kind, before, after) => {
    const e = tag('span');
    e.append(before, tag('i', { class: kind }), after);
    return e;
  };
  if (plane) {
    put($(s.root, '.sub'), `${n} held-out points`);
    const disc = (name, text) => { const e = swatch('disc', '', text); $(e, 'i').style.background = `var(--ap-${name})`; return e; };
    key.replaceChildren(disc('ink3', 'point'), disc('accent', 'reconstruction'));
    return;
  }
  const [, fullH, fullW] = run.shape;
  put($(s.root, '.sub'), `${n} held-out images, ${fullW} × ${fullH}`);
  key.replaceChildren(...(c === 1 ? [swatch(run.ink ? 'ink' : 'grey', '0', '1')] : []), ...(run.truth ? [] : [swatch('difference', '−1', '+1')]));
  put($(s.root, '.title'), run.task.restores ? 'Reconstructions' : 'Answers');
  put($(s.root, '.unit b'), run.task.graded);
  put($(s.root, '.unit em'), run.task.unit);
  for (const [name, gone] of [['.difference', run.truth], ['.truth', !run.truth], ['.made', !run.task.restores], ['.answered', run.task.restores]]) $(s.root, name).hidden = !!gone;
  s.tiles = Array.from({ length: 4 * n }, () => { const e = document.createElement('canvas'); e.width = w; e.height = h; return e; });
  $(s.root, '.grades').replaceChildren(...Array.from({ length: n }, () => tag('span')));
}

function drawPictures(s, run) {
  const [n, , h, w] = run.shown_shape, { view, shown } = run, seen = view.seen || shown;
  put($(s.root, '.seen'), view.seen ? 'seen' : 'seen = input');
  const low = rgb(s.box, 'low'), high = rgb(s.box, 'high'), line = rgb(s.box, 'line');
  const poles = ['neg', 'zero', 'pos'].map(name => rgb(s.box, name));
  for (let i = 0; i < n; i++) {
    [shown, seen, view.output].forEach((raw, r) => fill(s.tiles[r * n + i], data => paint(data, raw, run.shown_shape, i, run.ink, low, high)));
    fill(s.tiles[3 * n + i], data => run.truth ? paint(data, run.truth, run.shown_shape, i, run.ink, low, high) : difference(data, view.output, shown, run.shown_shape, i, poles));
    put($(s.root, '.grades').children[i], view.grades[i] == null ? '–' : view.grades[i].toFixed(1));
  }
  const dpr = devicePixelRatio || 1, narrow = s.grid.clientWidth <= 440;
  const wide = narrow ? s.grid.clientWidth : s.grid.clientWidth - 84, tall = s.box.clientHeight - 24 - 18;
  const room = Math.max(tall - 3 * GAP, 0) / 4, fit = Math.floor((wide - (n - 1) * GAP) / n);
  const tile = Math.max(24, narrow || room < 40 ? fit : Math.min(fit, Math.floor(room)));
  const rowGap = narrow ? LINE_HEIGHT : GAP, top = narrow ? LINE_HEIGHT : 0;
  place(s, n, tile, narrow, rowGap, top, dpr);
  const c = s.canvas.getContext('2d'), scale = Math.min(tile * dpr / w, tile * dpr / h), photo = !run.ink && scale * 28 < 60 * dpr && w >= 48;
  c.clearRect(0, 0, s.canvas.width, s.canvas.height);
  const px = v => Math.round(v * dpr), pw = Math.round(w * scale), ph = Math.round(h * scale);
  for (let r = 0; r < 4; r++) for (let i = 0; i < n; i++) {
    const x = px(i * (tile + GAP)) + Math.floor((px(tile) - pw) / 2), y = px(top + r * (tile + rowGap)) + Math.floor((px(tile) - ph) / 2);
    enlarge(c, s.tiles[r * n + i], x, y, pw, ph, photo);
    c.strokeStyle = css(line);
    c.lineWidth = 1;
    c.strokeRect(x + .5, y + .5, pw - 1, ph - 1);
  }
}

function fill(canvas, into) {
  const c = canvas.getContext('2d', { willReadFrequently: true }), image = c.createImageData(canvas.width, canvas.height);
  into(image.data);
  c.putImageData(image, 0, 0);
}

// Blue below zero, orange above, as strong as the mean difference over the colours; small ones lifted a little.
function difference(data, output, input, [, c, h, w], i, [negative, zero, positive]) {
  const size = h * w, from = i * c * size;
  for (let p = 0; p < size; p++) {
    let d = 0;
    for (let k = 0; k < c; k++) d += (output[from + k * size + p] - input[from + k * size + p]) / 255 / c;
    const pole = d < 0 ? negative : positive, t = Math.min(1, Math.abs(d) ** .8);
    for (let k = 0; k < 3; k++) data[4 * p + k] = zero[k] + (pole[k] - zero[k]) * t;
    data[4 * p + 3] = 255;
  }
}

function place(s, n, tile, narrow, rowGap, top, dpr) {
  const width = n * tile + (n - 1) * GAP, height = top + 4 * tile + 3 * rowGap;
  const key = [width, height, dpr].join();
  if (s.placed === key) return;
  s.placed = key;
  Object.assign(s.canvas, { width: Math.round(width * dpr), height: Math.round(height * dpr) });
  Object.assign(s.canvas.style, { width: `${width}px`, height: `${height}px` });
  const labels = $(s.root, '.labels'), grades = $(s.root, '.grades');
  labels.style.height = `${narrow ? 4 * (tile + LINE_HEIGHT) : height}px`;
  for (const label of labels.children) label.style.paddingBottom = narrow ? `${tile}px` : '';
  grades.style.width = `${width}px`;
  for (const value of grades.children) Object.assign(value.style, { width: `${tile}px`, marginRight: `${GAP}px` });
  s.canvas.setAttribute('aria-label', `${n} columns: input, what the encoder saw, output, ${s.run.truth ? 'truth' : 'difference'}`);
}

function drawPlane(s, run) {
  const canvas = $(s.root, '.plane canvas'), W = canvas.clientWidth, H = canvas.clientHeight, dpr = devicePixelRatio || 1;
  if (!W) return;
  Object.assign(canvas, { width: Math.round(W * dpr), height: Math.round(H * dpr) });
  canvas.setAttribute('aria-label', 'Held-out points in the plane, each with a line to its reconstruction');
  const c = canvas.getContext('2d'), side = Math.min(W, H) - 20, x0 = (W - side) / 2, y0 = (H - side) / 2;
  c.scale(dpr, dpr);
  const at = (raw, i) => [x0 + raw[2 * i] / 255 * side, y0 + side - raw[2 * i + 1] / 255 * side];
  const disc = (raw, colour, radius) => {
    c.fillStyle = css(rgb(s.box, colour));
    for (let i = 0; i < run.shown_shape[0]; i++) { c.beginPath(); c.arc(...at(raw, i), radius, 0, 7); c.fill(); }
  };
  c.strokeStyle = css(rgb(s.box, 'line'));
  c.strokeRect(x0 - 6, y0 - 6, side + 12, side + 12);
  c.strokeStyle = css(rgb(s.box, 'held'));
  c.globalAlpha = .55;
  for (let i = 0; i < run.shown_shape[0]; i++) { c.beginPath(); c.moveTo(...at(run.shown, i)); c.lineTo(...at(run.view.output, i)); c.stroke(); }
  if (run.view.seen) disc(run.view.seen, 'ghost', 1.5);
  c.globalAlpha = 1;
  disc(run.shown, 'ink3', 2);
  disc(run.view.output, 'accent', 2.4);
}
