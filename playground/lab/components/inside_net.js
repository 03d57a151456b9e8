// The network for the chosen image: nodes as solid as they are active, maps as tiles; each layer is a button.
const TALL = 150, IN_NET = 16; // pixels; maps of a layer that are drawn here

async function forward(room) {
  const asked = room.askedAt, { turn, shown: { A } } = room, image = A.index ?? 'own';
  room.askedAt = 0;
  const told = await ask(room, 'forward', asImage(A)).catch(error => trouble(room, error)), old = () => turn !== room.turn || A !== room.shown.A;
  if (!told || old()) return; // another image was chosen meanwhile, whose own answer is on its way
  if (!room.info.plane) {  // each picture is decoded once, however often it is drawn
    const look = [room.look.low, room.look.high];
    [told.x, told.y] = await Promise.all([told.input, told.output].map(url => strip(url, null, room.ink, look)));
    if (old()) return;
  }
  room.passed = told;
  drawLooked(room);
  drawNet(room);
  if (room.tab === 'layers') drawLayer(room);
  else if (['code', 'sparse'].includes(room.tab)) room.draw?.(); // they show the image's code too
  room.$('canvas.output').dataset.image = image;
  if (asked) requestAnimationFrame(() => (window.__insideMs ??= []).push(performance.now() - asked)); // what the benchmark reads
}

function drawLooked(room) {
  const { $, passed: told, info } = room, input = $('canvas.input'), output = $('canvas.output');
  if (info.plane) { drawPoint(input, room, told.point); drawPoint(output, room, told.point, told.made); }
  else { told.x.show(input, 0); told.y.show(output, 0); }
  put($('.which'), nameOf(room, room.shown.A));
  put($('.psnr'), `${told.psnr.toFixed(1)} dB PSNR`);
  Object.assign(output.dataset, { psnr: told.psnr, step: told.step ?? '' });
  put($('.seen'), told.step == null ? '' : `after ${count(told.step)} steps`);
}

const partName = { encoder: 'encoder', code: 'code', decoder: 'decoder', output: 'output' };
const sizeOf = shape => shape.length === 3 && shape[1] * shape[2] > 1 ? shape.join('×') : count(shape.reduce((a, b) => a * b, 1));

function drawNet(room) {
  if (!room.passed) return;
  const { $, info, passed } = room, row = $('.net .row'), layers = info.layers.slice(1);
  if (row.children.length !== layers.length + 1) {
    const into = tag('div', { class: 'in' });
    into.append(tag('canvas', { class: 'px', role: 'img', 'aria-label': 'Input' }), tag('b', {}, sizeOf(info.layers[0].shape)), tag('span', {}, 'input'));
    row.replaceChildren(into, ...layers.map((one, i) => {
      const button = tag('button', { type: 'button', 'aria-pressed': 'false', 'data-layer': i, class: one.part });
      button.append(tag('canvas', { class: 'px' }), tag('b', {}, sizeOf(one.shape)), tag('span', {}, info.has_code || one.part !== 'code' ? partName[one.part] : 'middle'));
      button.onclick = () => { room.layer = i; openTab(room, 'layers'); };
      button.setAttribute('aria-label', `Layer ${i + 1}, ${one.kind}, ${sizeOf(one.shape)}`);
      return button;
    }));
  }
  const maps = passed.layers.slice(0, -1).filter(one => one.maps).length, dense = layers.length - 1 - maps;
  const wide = clamp(($('.net').clientWidth - 250 - 90 * dense - 14 * layers.length) / Math.max(1, maps) - 14, 56, TALL);
  framedPicture(room, $('.net .in canvas'), passed.x, passed.point);
  layers.forEach((one, i) => {
    const button = row.children[i + 1], canvas = $(`.net [data-layer="${i}"] canvas`), told = passed.layers[i];
    button.setAttribute('aria-pressed', room.tab === 'layers' && room.layer === i);
    button.classList.toggle('lit', room.tab === 'chain' && room.chainLayer === i + 1);
    button.dataset.peak = told.peak;
    if (one.part === 'output') framedPicture(room, canvas, passed.y, passed.made);
    else if (told.maps) {
      const few = { ...told.maps, bytes: unpackTiles(told.maps), sign: signed(told.maps) };
      few.shape = [Math.min(IN_NET, told.maps.shape[0]), ...told.maps.shape.slice(1)];
      const n = few.shape[0], columns = Math.ceil(Math.sqrt(n)), side = Math.floor(Math.min(TALL / Math.ceil(n / columns), wide / columns)) - GAP;
      drawTiles(canvas, few, room.look, { width: columns * (side + GAP), most: n === 1 ? 96 : side, height: TALL });
    } else drawNodes(canvas, told.units, told.peak, css(one.part === 'code' ? room.look.accent : room.look.ink2), css(room.look.ink3), TALL);
  });
  flows(room);
  edges(room);
}

// Where the network is wider than the page its edge fades, and a line says that it can be moved sideways.
function edges({ $, info }) {
  const net = $('.net'), beyond = net.scrollWidth - net.clientWidth, hint = $('.swipe');
  net.classList.toggle('before', net.scrollLeft > 4);
  net.classList.toggle('beyond', net.scrollLeft < beyond - 4);
  hint.hidden = beyond <= 4;
  put(hint, `Scroll the network sideways to see all ${info.layers.length - 1} layers ${net.scrollLeft < beyond - 4 ? '→' : '←'}`);
}

// The picture at either end, or the point of the plane.
function framedPicture(room, canvas, sheet, point, side = 96) {
  if (room.info.plane) return drawPoint(canvas, room, point, null, side);
  const [, h, w] = room.info.shape, k = side / Math.max(h, w);
  Object.assign(canvas.style, { width: `${Math.round(w * k)}px`, height: `${Math.round(h * k)}px` });
  sheet.show(canvas, 0);
}

// Between two layers everything is connected: a band from one to the next.
function flows(room) {
  const net = room.$('.net'), lines = room.$('.flows'), box = net.getBoundingClientRect(), shapes = [...net.querySelectorAll('.row canvas')].map(one => one.getBoundingClientRect());
  const W = net.scrollWidth, H = net.clientHeight, left = net.scrollLeft - box.left;
  Object.entries({ width: W, height: H, viewBox: `0 0 ${W} ${H}` }).forEach(([k, v]) => lines.setAttribute(k, v));
  lines.replaceChildren(...shapes.slice(1).map((to, i) => {
    const from = shapes[i], a = from.right + left + 4, b = to.left + left - 4;
    return svg('path', { d: `M${a},${from.top - box.top}C${(a + b) / 2},${from.top - box.top} ${(a + b) / 2},${to.top - box.top} ${b},${to.top - box.top}L${b},${to.bottom - box.top}C${(a + b) / 2},${to.bottom - box.top} ${(a + b) / 2},${from.bottom - box.top} ${a},${from.bottom - box.top}Z` });
  }));
}
