// live-curves: train, held-out and each penalty over epochs; earlier runs behind them. SVG, so a theme needs no redraw.
// data: {job, unit, penalties: [[term, words]]}. Rows are [step, held-out, reconstruction, penalty, ...].
const HELD = 1, TRAIN = 2, PENALTIES = 3;
const ENDS = [.02, .05, .1, .2, .5, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 30, 40, 60, 80, 100];

export default function ({ data, parentElement: root }) {
  const state = bus.once(root, start);
  state.known = { ...data, penalties: Object.fromEntries(data.penalties) };
  put($(root, '.sub'), data.unit);
  bus.follow(data.job);
  state.ask();
}

function start(root) {
  const host = $(root, '.plot'), box = $(root, '.ap');
  const s = {
    root, host, box, log: true, axes: null, hover: null, known: {}, run: null, lit: null, rows: [],
    svg: svg('svg'), read: tag('div', { class: 'read' }), empty: tag('div', { class: 'empty', role: 'status' }),
  };
  for (const name of ['grid', 'past', 'marks', 'lines', 'labels', 'cross']) s.svg.append(s[name] = svg('g'));
  s.paths = { pen: svg('path', { class: 'pen' }), train: svg('path', { class: 'train' }), held: svg('path', { class: 'held' }) };
  s.lines.append(s.paths.pen, s.paths.train, s.paths.held);
  s.words = {};
  for (const name of ['pen', 'held', 'train']) s.labels.append(s.words[name] = svg('text', { class: 'label ' + name }));
  s.empty.append(tag('span'), tag('i'));
  $(s.empty, 'i').append(tag('b'));
  host.append(s.svg, s.read, s.empty);
  s.ask = framed(() => draw(s));
  $(root, 'input').onchange = e => { s.log = e.target.checked; s.axes = null; s.ask(); };
  readBy(s);
  new ResizeObserver(s.ask).observe(host);
  bus.listen(box, run => { take(s, run); s.ask(); });
  return s;
}

// What a message changes outside the drawing: attributes for those who read the page by machine or by ear.
function take(s, run) {
  if (s.run?.job !== run.job) s.axes = null;
  s.run = run;
  const last = run.rows.at(-1), per = run.per_epoch || 1;
  s.rows = run.rows.map(row => [row[0] / per, ...row.slice(1)]);
  // Between two rows the curve goes on with what the run says of its last steps.
  if (last && run.step > last[0] && run.terms.length) {
    s.rows.push([run.step / per, run.status === 'running' ? null : run.held_out, ...run.terms]);
  }
  const set = (name, value) => { if (value !== undefined && value !== null) s.box.dataset[name] = value; };
  set('job', run.job); set('step', run.step); set('steps', run.steps); set('status', run.status);
  set('loss', run.terms[0]); set('heldOut', run.held_out); set('rows', run.rows.length); set('marks', run.marks.length);
  past(s, run);
}

function past(s, run) {
  const list = $(s.root, 'div.past'), names = run.earlier.map(e => e.name).join('|');
  if (s.names === names) return;
  s.names = names;
  list.hidden = !run.earlier.length;
  list.replaceChildren(...run.earlier.map((one, i) => {
    const button = tag('button', { type: 'button', title: `Earlier run: ${one.name}` });
    if (run.earlier.length > 1) button.append(tag('b', {}, i + 1));
    button.append(run.earlier.length > 1 ? one.name : `earlier: ${one.name}`);
    button.onpointerenter = button.onfocus = () => { s.lit = i; s.ask(); };
    button.onpointerleave = button.onblur = () => { s.lit = null; s.ask(); };
    return button;
  }));
}

const finite = values => values.filter(v => v != null && isFinite(v) && v > 0);
const column = (rows, k, end) => finite(rows.filter(r => r[0] <= end).map(r => r[k]));

// Where the axes should end: loss and penalty have one each, as they are of different sizes.
function wanted(s) {
  const at = s.rows.at(-1)?.[0] || 0, ghosts = s.run.earlier;
  let end = ENDS.find(v => v > at * 1.02) ?? Math.ceil(at * 1.1 / 50) * 50;
  if (s.rows.length < 2 && ghosts.length) end = Math.max(end, ...ghosts.map(g => g.rows.at(-1)[0] / g.per_epoch));
  if (at > s.run.epochs / 2) end = Math.max(at, s.run.epochs);
  const loss = [...column(s.rows, TRAIN, end), ...column(s.rows, HELD, end)];
  for (const g of ghosts) loss.push(...finite(g.rows.filter(r => r[0] / g.per_epoch <= end).map(r => r[HELD])));
  const penalty = s.pens.flatMap(k => column(s.rows, k, end));
  return { end, ...span('loss', loss, s.log), ...span('pen', penalty, s.log) };
}

function span(name, values, log) {
  let low = Math.min(...values), high = Math.max(...values);
  if (!values.length) [low, high] = [1, 10];
  if (!log) return { [name + 'Low']: 0, [name + 'High']: high * 1.06 || 1 };
  low = Math.max(low, high / 3000);
  const room = Math.max(.04, (Math.log10(high) - Math.log10(low)) * .06);
  return { [name + 'Low']: Math.log10(low) - room, [name + 'High']: Math.log10(high) + room };
}

// The axes glide to where they should be; true as long as they move.
function glide(s) {
  const to = wanted(s), axes = s.axes ||= to, now = performance.now();
  const share = 1 - Math.exp(-Math.min(now - (s.glided || 0), 200) / 70);  // by the clock: as quick where frames are few
  s.glided = now;
  let moves = false;
  for (const key in to) {
    const d = to[key] - axes[key];
    if (Math.abs(d) < 2e-3 * (Math.abs(to[key]) || 1)) axes[key] = to[key];
    else { axes[key] += d * share; moves = true; }
  }
  return moves;
}

function draw(s) {
  const W = s.host.clientWidth, H = s.host.clientHeight, run = s.run;
  if (!W || !run) return;
  s.svg.setAttribute('width', W);
  s.svg.setAttribute('height', H);
  waiting(s, run);
  s.pens = run.term_names.slice(1).map((_, i) => PENALTIES + i).filter(k => s.rows.some(r => r[k] > 0));
  const moves = glide(s), a = s.axes;
  const strip = s.pens.length ? Math.max(46, Math.min(96, H * .24)) : 0;
  const m = s.m = { left: 44, right: W < 380 ? 58 : 64, top: 8, bottom: H - 26, split: H - 26 - strip };
  s.X = epoch => m.left + (W - m.left - m.right) * epoch / a.end;
  const scale = (low, high, y0, y1) => v =>
    y1 - (y1 - y0) * ((s.log ? Math.log10(Math.max(v, 1e-12)) : v) - low) / (high - low || 1);
  s.Y = scale(a.lossLow, a.lossHigh, m.top, m.split - (strip ? 12 : 0));
  s.P = scale(a.penLow, a.penHigh, m.split + 6, m.bottom);
  grid(s, W, strip);
  lines(s, W);
  names(s, W);
  point(s);
  return moves;
}

function waiting(s, run) {
  const text = run.waiting ? run.waiting.reason : run.status === 'opening' ? 'Making the network' : '';
  const idle = run.rows.length < 2 && run.status === 'ready' ? 'Press Train to draw this run’s curve' : '';
  s.empty.hidden = !(text || idle);
  const fraction = run.waiting?.fraction;
  put($(s.empty, 'span'), text ? text + (fraction == null ? ' …' : `, ${Math.round(100 * fraction)} %`) : idle);
  $(s.empty, 'i').style.display = fraction == null ? 'none' : 'block';
  $(s.empty, 'b').style.width = `${100 * (fraction || 0)}%`;
}

function ticks(low, high, log, most) {
  if (!log) {
    const step = [1, 2, 5].flatMap(k => [-3, -2, -1, 0, 1, 2, 3].map(d => k * 10 ** d)).sort((x, y) => x - y).find(k => high / k <= most) || high;
    return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
  }
  const out = [], width = high - low;
  if (width < .35) {  // less than half a doubling or so: even steps read better than powers
    const from = 10 ** low, raw = (10 ** high - from) / Math.min(4, most), power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find(k => k * power >= raw) * power;
    for (let v = Math.ceil(from / step) * step; v < 10 ** high; v += step) out.push(v);
    return out;
  }
  const kinds = width < 1.1 ? [1, 2, 3, 5, 7] : width < 2.2 ? [1, 2, 5] : [1];
  for (let d = Math.floor(low); d <= high; d++) for (const k of kinds) {
    const at = Math.log10(k) + d;
    if (at > low && at < high) out.push(k * 10 ** d);
  }
  while (out.length > most) for (let i = out.length - 2; i > 0; i -= 2) out.splice(i, 1);
  return out;
}

function grid(s, W, strip) {
  const { left, right, top, bottom, split } = s.m, a = s.axes, out = [], end = W - right;
  const level = (value, y) => out.push(
    svg('line', { class: 'gridline', x1: left, x2: end, y1: y, y2: y }),
    svg('text', { class: 'tick', x: left - 8, y: y + 4, 'text-anchor': 'end' }, +value.toPrecision(3)));
  for (const v of ticks(a.lossLow, a.lossHigh, s.log, Math.max(3, (split - top) / 34))) level(v, s.Y(v));
  if (strip) {
    for (const v of ticks(a.penLow, a.penHigh, s.log, 3)) level(v, s.P(v));
    out.push(svg('line', { class: 'axis', x1: left, x2: end, y1: split, y2: split }));
  }
  const step = [.005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find(k => a.end / k <= Math.max(3, Math.min(6, W / 80)));
  for (let e = 0; e <= a.end * 1.0001; e += step) {
    out.push(svg('text', { class: 'tick', x: s.X(e), y: bottom + 15, 'text-anchor': 'middle' }, +e.toFixed(3)));
  }
  out.push(svg('line', { class: 'axis', x1: left, x2: end, y1: bottom, y2: bottom }));
  out.push(svg('text', { class: 'unit', x: end + 18, y: bottom + 15 }, 'epochs'));
  s.grid.replaceChildren(...out);
  const per = s.run.per_epoch || 1;
  s.marks.replaceChildren(...s.run.marks.flatMap(([at, text], i) => {
    const x = s.X(at / per), flip = x > end - 70;
    return [svg('line', { class: 'mark', x1: x, x2: x, y1: top, y2: bottom }),
      svg('text', { class: 'markt', x: x + (flip ? -4 : 4), y: top + 10 + 13 * (i % 3), 'text-anchor': flip ? 'end' : 'start' }, text)];
  }));
}

// A path of [x, y] columns, thinned to about one point for each 1.5 pixels, interrupted where there is no value.
function path(s, rows, k, Y, floor, per = 1) {
  const every = Math.max(1, Math.floor(rows.length / ((s.host.clientWidth - 100) / 1.5)));
  let d = '', down = false;
  rows.forEach((row, i) => {
    if (i % every && i < rows.length - 1) return;
    const v = row[k], x = row[0] / per;
    if (v == null || x > s.axes.end * 1.001 || (s.log && v <= 0)) return;
    d += `${down ? 'L' : 'M'}${s.X(x).toFixed(1)},${Math.min(Y(v), floor).toFixed(1)}`;
    down = true;
  });
  return d;
}

function lines(s) {
  const low = s.pens.length ? s.m.split - 2 : s.m.bottom;
  s.paths.train.setAttribute('d', path(s, s.rows, TRAIN, s.Y, low));
  s.paths.held.setAttribute('d', path(s, s.rows, HELD, s.Y, low));
  s.paths.pen.setAttribute('d', s.pens.map(k => path(s, s.rows, k, s.P, s.m.bottom)).join(''));
  const many = s.run.earlier.length > 1;
  s.past.replaceChildren(...s.run.earlier.flatMap((one, i) => {
    const line = svg('path', { class: 'past' + (s.lit === i ? ' lit' : ''), d: path(s, one.rows, HELD, s.Y, low, one.per_epoch) });
    const inside = one.rows.filter(r => r[0] / one.per_epoch <= s.axes.end).at(-1);
    if (!many || !inside || inside[HELD] == null) return [line];
    return [line, svg('text', { class: 'number', x: s.X(inside[0] / one.per_epoch) - 8, y: s.Y(inside[HELD]) - 4 }, i + 1)];
  }));
}

// Names stand at the lines' ends, pushed 15 pixels apart.
function names(s, W) {
  for (const key in s.words) s.words[key].setAttribute('visibility', 'hidden');
  if (s.rows.length < 2) return;
  const last = k => s.rows.findLast(r => r[k] != null);
  const end = (key, k, Y, text) => { const row = last(k); return { key, text, x: s.X(row[0]) + 7, y: Y(row[k]) }; };
  const ends = [end('held', HELD, s.Y, 'held-out'), end('train', TRAIN, s.Y, 'train')].sort((a, b) => a.y - b.y);
  const [above, below] = ends, floor = (s.pens.length ? s.m.split - 6 : s.m.bottom - 4) - 4;
  const held = ends.find(one => one.key === 'held'), tail = s.X(s.rows.at(-1)[0]) + 7;
  if (tail - held.x > 24) {  // its line ends earlier: its name stands beside that end, off the other line
    Object.assign(held, { anchor: 'end', x: held.x - 4, y: held.y + (held === above ? -11 : 13) });
  } else if (below.y - above.y < 15) {
    below.x = above.x = Math.max(below.x, above.x);
    below.y = Math.min(above.y + 15, floor);
    above.y = below.y - 15;
  }
  if (s.pens.length) {
    const words = s.pens.length > 1 ? 'penalties' : s.known.penalties?.[s.run.term_names[s.pens[0] - TRAIN]] || 'penalty';
    ends.push(end('pen', s.pens[0], s.P, words.split(/[ ,’]/)[0]));
  }
  for (const { key, x, y, text, anchor } of ends) {
    if (!isFinite(y)) continue;
    const word = s.words[key];
    word.setAttribute('visibility', 'visible');
    word.setAttribute('x', Math.min(x, W - s.m.right + 7));
    word.setAttribute('y', Math.min(y, s.m.bottom - 4) + 4);
    word.setAttribute('text-anchor', anchor || 'start');
    put(word, text);
  }
}

function readBy(s) {
  const at = e => { s.hover = e.clientX - s.host.getBoundingClientRect().left; s.ask(); };
  s.host.onpointermove = s.host.onpointerdown = at;
  s.host.onpointerleave = s.host.onblur = () => { s.hover = null; s.ask(); };
  s.host.onkeydown = e => {
    if (!['ArrowLeft', 'ArrowRight'].includes(e.key) || !s.rows.length) return;
    e.preventDefault();
    s.hover = (s.hover ?? s.X(s.rows.at(-1)[0])) + (e.key === 'ArrowLeft' ? -10 : 10);
    s.ask();
  };
}

function point(s) {
  if (s.hover == null || s.rows.length < 2) { s.read.style.display = 'none'; s.cross.replaceChildren(); return; }
  const W = s.host.clientWidth, { left, right, top, bottom } = s.m;
  const epoch = Math.max(0, Math.min((s.hover - left) / (W - left - right) * s.axes.end, s.rows.at(-1)[0]));
  const row = s.rows.find(r => r[0] >= epoch) || s.rows.at(-1), x = s.X(row[0]);
  const out = [svg('line', { class: 'cross', x1: x, x2: x, y1: top, y2: bottom })], cells = [];
  const cell = (word, value) => cells.push(tag('span', {}, word), tag('b', {}, value));
  const show = (kind, value, Y, word) => {
    if (value == null) return;
    out.push(svg('circle', { class: 'dot ' + kind, cx: x, cy: Math.min(Y(value), bottom), r: 4 }));
    cell(word, num(value));
  };
  cell('epoch', row[0].toFixed(2));
  cell('step', count(Math.round(row[0] * (s.run.per_epoch || 1))));
  show('train', row[TRAIN], s.Y, 'train');
  show('held', row[HELD], s.Y, 'held-out');
  for (const k of s.pens) show('pen', row[k], s.P, s.known.penalties?.[s.run.term_names[k - TRAIN]] || 'penalty');
  for (const one of s.run.earlier) {
    const then = one.rows.find(r => r[0] / one.per_epoch >= row[0]);
    if (then) cell(one.name, num(then[HELD]));
  }
  s.cross.replaceChildren(...out);
  s.read.replaceChildren(...cells);
  s.read.style.display = 'grid';
  s.read.style.left = `${x > W / 2 ? x - s.read.offsetWidth - 12 : x + 12}px`;
}
