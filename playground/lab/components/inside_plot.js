// A small plot in SVG: axes with their quantity and unit, lines, dots and bars; what it shows is also said in words.
const NICE = [1, 2, 5];

function ticksOf(low, high, log, most) {
  if (log) {
    const out = [];
    for (let d = Math.floor(Math.log10(low)); d <= Math.ceil(Math.log10(high)); d++) for (const k of NICE) out.push(k * 10 ** d);
    const inside = out.filter(v => v >= low * .999 && v <= high * 1.001);
    return inside.length > most ? inside.filter(v => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-9) : inside;
  }
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw || 1)), step = (NICE.find(k => k * power >= raw) ?? 10) * power;
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-6; v += step) out.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return out;
}

// step: to the next tick, from which a number must be told apart.
const digits = (v, step) => step ? clamp(Math.ceil(Math.log10(Math.abs(v) / step)) + 1, 3, 9) : 3;
const short = (v, step = 0) => v === 0 ? '0' : Math.abs(v) >= 1e4 || Math.abs(v) < 1e-3 ? v.toExponential(0).replace('e-', 'e−').replace('e+', 'e') : String(+v.toPrecision(digits(v, step)));

// x, y: {label, low, high, log}. lines: [{points, kind, name}]; dots: [{x, y, kind, title, chosen}]; bars: [{x, y, kind, lit}];
// marks: [{x or y, kind, name}]. click(i) is called with the number of a dot or bar.
function plot(host, what) {
  host.__what = what;
  if (!host.__sized) (host.__sized = new ResizeObserver(framed(() => drawPlot(host, host.__what)))).observe(host);
  drawPlot(host, what);
}

function drawPlot(host, { x, y, lines = [], dots = [], bars = [], marks = [], label = '', click = null }) {
  const W = host.clientWidth, H = host.clientHeight;
  if (W < 40 || H < 40) return;
  const m = { left: 46, right: 14, top: 24, bottom: 32 }, w = W - m.left - m.right, h = H - m.top - m.bottom;
  const along = (axis, v) => axis.log ? Math.log(Math.max(v, axis.low) / axis.low) / Math.log(axis.high / axis.low) : (v - axis.low) / ((axis.high - axis.low) || 1);
  const X = v => m.left + w * along(x, v), Y = v => m.top + h * (1 - clamp(along(y, v), -.02, 1.02));
  const g = svg('svg', { width: W, height: H, role: 'img', 'aria-label': label });
  const ys = ticksOf(y.low, y.high, y.log, Math.max(2, H / 45)), xs = x.ticks ?? ticksOf(x.low, x.high, x.log, Math.max(2, W / 62)), gap = (axis, at) => axis.log || at.length < 2 ? 0 : at[1] - at[0];
  for (const v of ys) {
    g.append(svg('line', { class: 'gridline', x1: m.left, x2: W - m.right, y1: Y(v), y2: Y(v) }), svg('text', { class: 'tick', x: m.left - 6, y: Y(v) + 4, 'text-anchor': 'end' }, y.text ? y.text(v) : short(v, gap(y, ys))));
  }
  for (const v of xs) {
    g.append(svg('text', { class: 'tick', x: X(v), y: H - m.bottom + 15, 'text-anchor': 'middle' }, short(v, gap(x, xs))));
  }
  g.append(svg('line', { class: 'axis', x1: m.left, x2: W - m.right, y1: H - m.bottom, y2: H - m.bottom }));
  g.append(svg('text', { class: 'unit', x: W - m.right, y: H - 3, 'text-anchor': 'end' }, x.label), svg('text', { class: 'unit', x: 2, y: 10 }, y.label));
  const wide = Math.max(1, Math.min(18, w / Math.max(1, bars.length) - 1)), zero = Y(Math.max(y.low, y.log ? y.low : Math.min(0, y.high)));
  bars.forEach((one, i) => {
    const top = Math.min(Y(one.y), zero), bar = svg('rect', { class: `bar ${one.kind ?? ''}${one.lit ? ' lit' : ''}`, x: X(one.x) - wide / 2, y: top, width: wide, height: Math.max(1, Math.abs(Y(one.y) - zero)) });
    if (one.title) bar.append(svg('title', {}, one.title));
    if (click) bar.onclick = () => click(i);
    g.append(bar);
  });
  for (const one of marks) {
    const at = one.x !== undefined ? { x1: X(one.x), x2: X(one.x), y1: m.top, y2: H - m.bottom } : { x1: m.left, x2: W - m.right, y1: Y(one.y), y2: Y(one.y) };
    g.append(svg('line', { class: `rule ${one.kind ?? ''}`, ...at }));
    const place = one.x !== undefined ? { x: X(one.x) + 5, y: m.top + 9 } : { x: W - m.right - 2, y: Y(one.y) - 5, 'text-anchor': 'end' };
    g.append(svg('text', { class: `name ${one.kind ?? ''}`, ...place }, one.name));
  }
  const ends = [];
  for (const one of lines) {
    const points = one.points.filter(([, v]) => v != null && isFinite(v));
    if (!points.length) continue;
    g.append(svg('path', { class: `curve ${one.kind}`, d: points.map(([a, b], i) => `${i ? 'L' : 'M'}${X(a).toFixed(1)},${Y(b).toFixed(1)}`).join('') }));
    if (one.points.length < 16) for (const [a, b] of points) g.append(svg('circle', { class: `dot ${one.kind}`, cx: X(a), cy: Y(b), r: 2.6 }));
    if (one.name) ends.push({ one, x: X(points.at(-1)[0]), y: Y(points.at(-1)[1]) });
  }
  ends.sort((a, b) => a.y - b.y).forEach((end, i) => { if (i && end.y - ends[i - 1].y < 14) end.y = ends[i - 1].y + 14; });
  for (const { one, x: at, y: tall } of ends) g.append(svg('text', { class: `name ${one.kind}`, x: Math.min(at, W - m.right) - 2, y: clamp(tall - 7, 20, H - m.bottom - 4), 'text-anchor': 'end' }, one.name));
  dots.forEach((one, i) => {
    const circle = svg('circle', { class: `dot ${one.kind ?? ''}`, cx: X(one.x), cy: Y(one.y), r: one.chosen ? 5.5 : 3.6 });
    if (one.title) circle.append(svg('title', {}, one.title));
    if (click) circle.onclick = () => click(i);
    g.append(circle);
    if (one.name) g.append(svg('text', { class: `name ${one.kind ?? ''}`, x: X(one.x) + 8, y: Y(one.y) - 6 }, one.name));
  });
  host.replaceChildren(g);
}

const span = (values, pad = .06) => {
  const low = Math.min(...values), high = Math.max(...values), room = (high - low || Math.abs(high) || 1) * pad;
  return { low: low - room, high: high + room };
};
