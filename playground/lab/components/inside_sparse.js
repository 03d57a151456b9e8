// Sparse: ρ̂ of every neuron against ρ, the penalty with the neurons as dots on it, and two images that light other neurons.
async function showSparse(room) {
  const [told, other] = await Promise.all([ask(room, 'sparsity'), ask(room, 'forward', asImage(room.shown.B))]);
  return () => {
    const { $ } = room, { rates, rho, penalties, beta, curve, kind, kept } = told, n = rates.length;
    const most = Math.max(...rates, rho ?? 1e-9) * 1.15, host = $('.plot.rates'), neuron = { label: 'neuron', low: -.5, high: n - .5 };
    const click = i => { room.entry = i; room.draw?.(); }, bar = (y, x) => ({ x, y, lit: x === room.entry, title: `neuron ${x}: ${num(y)}` });
    plot(host, { x: neuron, y: { label: 'ρ̂', low: Math.min(0, ...rates) * 1.15, high: most }, label: `Mean activation of ${n} neurons${rho == null ? '' : `, target ${rho}`}`,
      bars: rates.map(bar), marks: rho == null ? [] : [{ y: rho, kind: 'target', name: `ρ = ${rho}` }], click });
    Object.assign(host.dataset, { step: told.step ?? '', mean: rates.reduce((a, b) => a + b, 0) / n, first: rates[0], rho: rho ?? '' });
    put($('.rsub'), `${count(told.images)} held-out`);
    const box = $('.plot.penalty');
    Object.assign(box.dataset, { penalty: told.penalty, dots: n, kind });
    put($('.phead'), kind === 'top-k' ? 'How often each neuron is kept' : 'Penalty');
    if (kind === 'top-k') {
      plot(box, { x: neuron, y: { label: 'share of images', low: 0, high: 1 }, label: `How often each of ${n} neurons is kept`, bars: kept.map(bar), click });
      put($('.psub'), 'no penalty: only the largest entries of a code are kept');
    } else if (kind === 'l1') {
      const top = curve[0].at(-1);
      plot(box, { x: { label: 'mean |h|', low: 0, high: top }, y: { label: 'its part', low: 0, high: top }, label: `The penalty over the mean activation, ${n} neurons on it`,
        lines: [{ points: curve[0].map((x, i) => [x, curve[1][i]]), kind: 'pen' }], dots: penalties.map((y, i) => ({ x: y, y, chosen: i === room.entry, title: `neuron ${i}: ${num(y)}` })) });
      put($('.psub'), `β Σ mean |h| = ${num(told.penalty)}, β = ${beta}`);
    } else drawKL(room, box, told);
    compare(room, told, other);
    activity(room, told);
  };
}

function drawKL({ $, entry }, box, { rates, rho, penalties, penalty, beta, curve }) {
  const n = rates.length, low = Math.max(1e-4, Math.min(...rates, rho) / 2), high = Math.min(.999, Math.max(...rates, rho) * 2);
  const line = curve[0].map((x, i) => [x, curve[1][i]]).filter(([x]) => x >= low && x <= high), top = Math.max(...penalties, .01) * 1.15;
  plot(box, { x: { label: 'ρ̂, log scale', low, high, log: true }, y: { label: 'KL(ρ‖ρ̂)', low: 0, high: top }, label: `KL divergence over the mean activation, ${n} neurons on it`,
    lines: [{ points: line.filter(([, y]) => y <= top * 1.02), kind: 'pen' }], marks: [{ x: rho, kind: 'target', name: `ρ = ${rho}` }], dots: rates.map((x, i) => ({ x, y: penalties[i], chosen: i === entry, title: `neuron ${i}: ρ̂ = ${num(x)}, KL = ${num(penalties[i])}` })) });
  put($('.psub'), `β Σ KL = ${num(penalty)}, β = ${beta}`);
}

// How many of its neurons each held-out image lights, and where A is among them.
function activity(room, { shares, share }) {
  const bins = Array(20).fill(0), at = room.shown.A.index, own = at === undefined ? undefined : shares[at];
  for (const v of shares) bins[Math.min(19, Math.floor(20 * v))]++;
  plot(room.$('.plot.actives'), { x: { label: 'share of neurons active', low: 0, high: 1 }, y: { label: 'images', low: 0, high: Math.max(...bins) * 1.15 }, label: 'How many neurons are active, over held-out images',
    bars: bins.map((y, i) => ({ x: (i + .5) / 20, y, title: `${5 * i} to ${5 * i + 5} %: ${y} images` })), marks: own === undefined ? [] : [{ x: own, name: 'A' }] });
  Object.assign(room.$('.plot.actives').dataset, { images: shares.length, share });
}

function compare(room, told, other) {
  const host = room.$('.two-images'), { threshold } = told, codes = { A: room.passed?.code ?? [], B: other.code }, on = v => Math.abs(v) > threshold;
  if (!host.children.length) host.append(...['A', 'B'].map(key => {
    const box = tag('figure', { 'data-side': key });
    box.append(tag('canvas', { class: 'px picture', role: 'img', 'aria-label': `Image ${key}` }), tag('canvas', { class: 'nodes', role: 'img' }), tag('figcaption'));
    return box;
  }), tag('p', { class: 'muted both' }));
  const peak = Math.max(...codes.A.map(Math.abs), ...codes.B.map(Math.abs), 1e-9);
  for (const key of ['A', 'B']) {
    const box = $(host, `[data-side=${key}]`), code = codes[key], lit = code.filter(on).length, canvas = $(box, '.nodes'), answer = key === 'A' ? room.passed : other;
    room.info.plane ? drawPoint($(box, '.picture'), room, answer.point, answer.made, 72) : drawPicture($(box, '.picture'), answer.input, room);
    drawNodes(canvas, code, peak, css(key === 'A' ? room.look.accent : room.look.held), css(room.look.ink3), 132);
    canvas.setAttribute('aria-label', `Code of image ${key}: ${lit} of ${code.length} neurons active`);
    put($(box, 'figcaption'), `${key}: ${lit} of ${code.length} active, ${Math.round(100 * lit / Math.max(1, code.length))} %`);
    Object.assign(box.dataset, { lit, share: lit / Math.max(1, code.length) });
  }
  const both = codes.A.filter((v, i) => on(v) && on(codes.B[i])).length;
  put($(host, '.both'), `Active in both: ${both}. Active means above ${num(threshold)}, a tenth of the largest activation of any neuron; over all held-out images ${(100 * told.share).toFixed(1)} % are. Choose B with the switch beside Held-out, or Shift-click.`);
}
