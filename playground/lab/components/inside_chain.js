// Back-propagation in slow motion: forward layer by layer to the loss, then every factor of the chain rule back to W₁.
const BEAT = 1100; // ms a step when it plays

const dims = shape => shape.length ? shape.map(count).join(' × ') : 'a number';
const WHY = {
  loss: 'How the loss changes with what came out, for every value of every image of the batch.',
  output: 'The output’s sigmoid: its slope is largest at a half and vanishes near 0 and 1, so gradients shrink where pixels are sure.',
  activation: 'The activation’s slope, value by value: where it is zero, nothing passes further back.',
  weights: 'Branches off to the weights: what came in, times what came back. This is the gradient that the optimiser steps along.',
  penalty: 'The penalty of the code has a slope of its own there, which is added: from here back, all gradients are those of L̂, the loss and the penalty together.',
  added: 'The penalty is a function of these weights themselves, so its gradient is added here. The optimiser steps along the sum.',
  inputs: 'Through the weights to the layer before: the same matrix as forward, transposed.',
};

async function showChain(room) {
  const told = await ask(room, 'chain');
  return () => {
    room.chain = told;
    const n = told.shapes.length;
    room.beats = [...told.shapes.map((shape, i) => ({ forward: true, layer: i + 1, shape, norm: told.norms[i] })), { total: true }, ...told.links];
    room.beat = clamp(room.beat ?? n, 0, room.beats.length - 1);
    drawBeat(room);
  };
}

function drawBeat(room) {
  const { $, chain, beats, beat, look } = room, one = beats[beat], host = $('.link'), [factor, result] = host.children;
  put($('.kcount'), `Step ${beat + 1} of ${beats.length}, ${one.forward ? 'forward' : one.total ? 'the loss' : 'backward'}, a batch of ${chain.batch}.`);
  const layers = room.info.layers.slice(1), kind = one.layer ? layers[one.layer - 1].kind : '';
  const shaped = (math, shape, norm, words) => {
    const box = tag('div'), text = tag('small', {}, `${words}: ${dims(shape)}${norm == null ? '' : `, norm ${num3(norm)}`}`);
    if (math) { const formula = tag('div', { class: 'math' }); formula.innerHTML = math; box.append(formula); }
    box.append(text);
    return box;
  };
  if (one.forward) {
    put($('.kname'), `Forward: layer ${one.layer}, ${kind}`);
    factor.replaceChildren(shaped('', one.shape, one.norm, `h${one.layer}`));
    result.replaceChildren();
    put($('.kwhy'), 'Each layer multiplies by its weights, adds its bias and bends; the loss is not known before the last one.');
  } else if (one.total) {
    put($('.kname'), 'The loss');
    const sum = chain.loss + (chain.penalty ?? 0), hat = '<mover><mi>L</mi><mo stretchy="false">ˆ</mo></mover>', joins = chain.links.some(one => one.kind === 'penalty' && one.whole) ? 'at the weights that it is made of' : 'at the code';
    factor.replaceChildren(shaped(`<math><mi>L</mi><mo>=</mo><mn>${num(chain.loss)}</mn></math>`, [], null, 'mean over the batch'));
    result.replaceChildren(...chain.penalty == null ? [] : [shaped(`<math>${hat}<mo>=</mo><mn>${num(sum)}</mn></math>`, [], null, `with the penalty, ${num(chain.penalty)}`)]);
    put($('.kwhy'), `The reconstruction loss of the batch that comes next.${chain.penalty == null ? '' : ` The penalty’s gradient joins ${joins}.`}`);
  } else {
    put($('.kname'), one.kind === 'loss' ? 'Back from the loss' : one.kind === 'weights' ? `The gradient of W${one.layer}` : one.kind === 'penalty' ? `The penalty joins at ${one.whole ? `W${one.layer}` : 'the code'}` : `Back through layer ${one.layer}, ${one.kind === 'inputs' ? kind : one.kind === 'output' ? 'output sigmoid' : 'activation'}`);
    factor.replaceChildren(shaped(one.factor, one.factor_shape, one.factor_norm, one.kind === 'penalty' ? 'plus this' : 'times this factor'));
    result.replaceChildren(shaped(one.result, one.shape, one.norm, 'gives the gradient'));
    const parted = one.kind === 'weights' && beats[beat + 1]?.kind === 'penalty' && beats[beat + 1].whole; // the other part comes next
    put($('.kwhy'), one.kind === 'penalty' && one.whole ? WHY.added : parted ? WHY.weights.replace(/This is .*/, 'This is the loss’s part of the gradient.') : WHY[one.kind]);
  }
  Object.assign(host.dataset, { beat, kind: one.kind ?? (one.total ? 'total' : 'forward'), layer: one.layer ?? '', norm: one.total ? chain.loss : one.norm, loss: chain.loss, penalty: chain.penalty ?? '', step: chain.step ?? '' });
  const picture = one.picture, canvas = $('canvas.gradient');
  canvas.hidden = !picture;
  put($('.gname'), picture ? (one.whole ? 'The gradient, whole' : 'Gradient for the first image') : '');
  put($('.gsub'), picture ? 'blue: negative' : '');
  if (picture) {
    drawTiles(canvas, picture, look, { width: canvas.parentElement.clientWidth, height: roomFor(room, canvas), most: picture.shape[0] === 1 ? Math.min(460, canvas.parentElement.clientWidth) : 96 });
    canvas.setAttribute('aria-label', `Gradient, ${dims(one.shape)}, norm ${num3(one.norm)}`);
  }
  const back = beats.map((b, i) => ({ ...b, i })).filter(b => b.result), norms = back.map(b => Math.max(b.norm, 1e-12));
  plot($('.plot.norms'), { x: { label: 'from the loss back to W₁; violet: of weights, dashed: with the penalty', low: .5, high: back.length + .5, ticks: [] }, y: { label: 'norm of the gradient, log scale', low: Math.min(...norms) / 2, high: Math.max(...norms) * 2, log: true }, label: 'The gradient’s norm at each step back',
    bars: back.map((b, k) => ({ x: k + 1, y: norms[k], kind: b.kind, lit: b.i === beat, title: `${b.kind} ${b.layer || ''}: ${num3(b.norm)}` })), click: k => go(room, back[k].i) });
  for (const [name, off] of [['first', beat === 0], ['back', beat === 0], ['next', beat === beats.length - 1]]) $(`[data-do=${name}]`).disabled = off;
  room.chainLayer = one.layer ?? 0;
  for (const button of room.all('.net [data-layer]')) button.classList.toggle('lit', Number(button.dataset.layer) + 1 === room.chainLayer);
}

const num3 = v => v === 0 ? '0' : Math.abs(v) >= .01 && Math.abs(v) < 1e5 ? String(+v.toPrecision(4)) : v.toExponential(2);

function go(room, beat) {
  if (!room.beats) return;
  room.beat = clamp(beat, 0, room.beats.length - 1);
  drawBeat(room);
}

function playChain(room, on) {
  clearInterval(room.playing);
  room.playing = 0;
  put(room.$('[data-do=play]'), on ? 'Pause steps' : 'Play');
  if (!on) return;
  if (room.beat === room.beats.length - 1) go(room, 0);
  room.playing = setInterval(() => room.tab === 'chain' && room.beat < room.beats.length - 1 ? go(room, room.beat + 1) : playChain(room, false), BEAT);
}

function walkBy(room) {
  const { $ } = room;
  for (const [name, by] of [['first', -Infinity], ['back', -1], ['next', 1]]) $(`[data-do=${name}]`).onclick = () => { playChain(room, false); go(room, by === -Infinity ? 0 : room.beat + by); };
  $('[data-do=play]').onclick = () => playChain(room, !room.playing);
  $('.walk').onkeydown = e => {
    const to = { ArrowRight: room.beat + 1, ArrowLeft: room.beat - 1, Home: 0, End: 1e9 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    playChain(room, false);
    go(room, to);
  };
}
