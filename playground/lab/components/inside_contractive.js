// Contractive: how each neuron answers to each pixel, the Jacobian's spectrum and its ends, and how far noise moves codes.
const POLL = 900; // ms between two looks at runs that were asked for

async function showContractive(room) {
  const [told, moved] = await Promise.all([ask(room, 'jacobian', asImage(room.shown.A)), ask(room, 'displacement')]);
  return () => { drawJacobian(room, told); drawMoved(room, moved); };
}

function drawJacobian(room, told) {
  const { $, info } = room, { rows, values, ends } = told, canvas = $('canvas.rows'), host = $('.plot.spectrum'), k = rows.count;
  drawTiles(canvas, rows, room.look, { width: $('[data-tab=contractive] > :first-child').clientWidth, height: roomFor(room, canvas), most: 84 });
  Object.assign(canvas.dataset, { norm: rows.norms[0], norm2: told.norm2, count: rows.shape[0] });
  canvas.setAttribute('aria-label', `How each of ${k} neurons answers to each pixel`);
  put($('.jsub'), `‖J‖² = ${num3(told.norm2)}${info.plane ? '; of each, left: ∂/∂x₁, right: ∂/∂x₂' : ''}`);
  const top = Math.max(...values, 1e-9), floor = Math.max(top * 1e-4, Math.min(...values.filter(v => v > 0), top) * .8);
  plot(host, { x: { label: 'number', low: .5, high: values.length + .5 }, y: { label: 'σ, log scale', low: floor, high: top * 1.4, log: true }, label: `${values.length} singular values of the Jacobian`,
    lines: [{ points: values.map((v, i) => [i + 1, Math.max(v, floor)]), kind: 'train' }] });
  Object.assign(host.dataset, { first: values[0], last: values.at(-1), count: values.length });
  put($('.ssub'), `${num3(values[0])} to ${num3(values.at(-1))}`);
  ['most', 'least'].forEach((name, i) => {
    const c = $(`canvas.${name}`), one = { shape: [1, ...ends.shape.slice(1)], scale: [ends.scale[i]], bytes: tileOf(ends, i), sign: true };
    if (info.plane) { const at = room.passed?.point ?? [.5, .5], v = [0, 1].map(d => one.bytes[d] / 127 * ends.scale[i]); drawPoint(c, room, at, at.map((p, d) => p + .25 * v[d]), 96); }
    else drawTiles(c, one, room.look, { width: 96, most: 96 });
    put(c.nextElementSibling, i ? `moves it least: σ = ${num3(values.at(-1))}${told.still ? `; ${count(told.still)} more not at all` : ''}` : `moves the code most: σ = ${num3(values[0])}`);
  });
}

function drawMoved(room, told) {
  const { $ } = room, { sizes, moved, twin } = told, host = $('.plot.moved'), button = $('[data-do=twin]');
  const other = twin?.moved, high = Math.max(...moved, ...(other ?? [0]), 1e-6) * 1.12, line = values => sizes.map((x, i) => [x, values[i]]);
  plot(host, { x: { label: 'noise σ, per pixel', low: 0, high: sizes.at(-1) }, y: { label: 'moved, in spreads of the codes', low: 0, high }, label: 'How far noise moves the codes of this network and of its undercomplete twin',
    lines: [{ points: line(moved), kind: 'train', name: 'contractive' }, ...(other ? [{ points: line(other), kind: 'held', name: 'undercomplete twin' }] : [])] });
  Object.assign(host.dataset, { moved: moved.at(-1), twin: other?.at(-1) ?? '', status: twin?.status ?? '' });
  const learns = twin && ['opening', 'running'].includes(twin.status);
  button.disabled = !!learns;
  put(button, learns ? 'Twin is learning' : twin ? 'Train it anew' : 'Train the twin');
  button.hidden = !!twin && !learns && twin.status === 'done';
  put($('.tsub'), twin ? `The twin has the same data, architecture, first seed and number of steps, and no penalty${learns ? `: step ${count(twin.at)} of ${count(twin.of || 0)}` : other ? ` (${twin.status === 'done' ? 'trained' : twin.status})` : ''}. Divided by how far codes lie apart, so that small numbers are not taken for stillness.`
    : 'An undercomplete twin of the same seed shows what the penalty does: train it, and its curve is drawn beside this one.');
  clearTimeout(room.polling);
  if (learns) room.polling = setTimeout(() => room.tab === 'contractive' && ask(room, 'displacement').then(now => room.tab === 'contractive' && drawMoved(room, now)).catch(() => {}), POLL);
}

async function trainTwin(room) {
  try { await ask(room, 'twin', {}); } catch (error) { return trouble(room, error); }
  drawMoved(room, await ask(room, 'displacement'));
}
