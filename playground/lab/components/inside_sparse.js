// Sparse: ρ̂ of every neuron against ρ, the penalty with the neurons as dots on it, and two images that light other neurons.
async function showSparse(room) {
  const [told, other] = await Promise.all([ask(room, 'sparsity'), ask(room, 'forward', asImage(room.shown.B))]);
  return () => {
    const { $ } = room, { rates, rho, penalties, beta, curve } = told, n = rates.length;
    const most = Math.max(...rates, rho) * 1.15, host = $('.plot.rates');
    plot(host, { x: { label: 'neuron', low: -.5, high: n - .5 }, y: { label: 'ρ̂', low: 0, high: most }, label: `Mean activation of ${n} neurons, target ${rho}`,
      bars: rates.map((y, x) => ({ x, y, lit: x === room.entry, title: `neuron ${x}: ρ̂ = ${num(y)}` })), marks: [{ y: rho, kind: 'target', name: `ρ = ${rho}` }], click: i => { room.entry = i; room.post('tab', () => showTab(room)); } });
    Object.assign(host.dataset, { step: told.step ?? '', mean: rates.reduce((a, b) => a + b, 0) / n, first: rates[0], rho });
    put($('.rsub'), `${count(told.images)} held-out`);
    const low = Math.max(1e-4, Math.min(...rates, rho) / 2), high = Math.min(.999, Math.max(...rates, rho) * 2);
    const line = curve[0].map((x, i) => [x, curve[1][i]]).filter(([x]) => x >= low && x <= high), top = Math.max(...penalties, .01) * 1.15, box = $('.plot.penalty');
    plot(box, { x: { label: 'ρ̂, log scale', low, high, log: true }, y: { label: 'KL(ρ‖ρ̂)', low: 0, high: top }, label: `KL divergence over the mean activation, ${n} neurons on it`,
      lines: [{ points: line.filter(([, y]) => y <= top * 1.02), kind: 'pen' }], marks: [{ x: rho, kind: 'target', name: `ρ = ${rho}` }], dots: rates.map((x, i) => ({ x, y: penalties[i], chosen: i === room.entry, title: `neuron ${i}: ρ̂ = ${num(x)}, KL = ${num(penalties[i])}` })) });
    Object.assign(box.dataset, { penalty: told.penalty, dots: n });
    put($('.psub'), `β Σ KL = ${num(told.penalty)}, β = ${beta}`);
    compare(room, told, other);
  };
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
