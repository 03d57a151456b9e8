// Boxes over a picture, the heat maps that they are peaks of, and the truth. data: {picture, width, height, sure, classes:
// [[name, colour]], boxes: [{class, score, box, iou, truth}] the best first, truth: [{class, box}] or null, heats: urls, all
// classes first, plain: [box] or null}. A box's match holds at every threshold: better scores have had their choice first.
export default function ({ data, parentElement: root }) {
  const state = bus.once(root, start);
  const key = JSON.stringify([data.boxes, data.truth, data.plain, data.classes, data.width, data.height, data.picture.length, data.picture.slice(-80)]);
  if (key === state.key) return;
  Object.assign(state, { key, data, heat: state.data && String(state.data.classes) === String(data.classes) ? state.heat : 0 });
  build(state);
}

function start(root) {
  const s = { root, heat: 0, sure: null, slider: $(root, 'input') };
  s.slider.oninput = () => { s.sure = +s.slider.value; mark(s); };
  $(root, '.classes').onkeydown = e => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key], n = s.data.heats.length;
    if (!step) return;
    e.preventDefault();
    warm(s, (s.heat + step + n) % n);
    $(root, '.classes').children[s.heat].focus();
  };
  return s;
}

function build(s) {
  const { data, root } = s, n = data.boxes.length;
  s.sure ??= data.sure;
  s.slider.value = s.sure;
  const names = ['All', ...data.classes.map(one => one[0])];
  $(root, '.classes').replaceChildren(...names.map((name, i) => {
    const button = tag('button', { type: 'button', role: 'radio' });
    if (i) button.append(tag('i', { style: `background:${data.classes[i - 1][1]}` }));
    button.append(name);
    button.onclick = () => warm(s, i);
    return button;
  }));
  s.found = figure(s, 'Found', data.boxes, one => `${one.class} ${one.score.toFixed(2)}`);
  s.heats = figure(s, 'Heat map', [], null);
  $(s.heats.root, 'img').classList.add('dim');
  s.image = tag('img', { class: `heat ${$(s.heats.root, 'img').className}`, alt: '' });
  s.image.classList.remove('dim');
  s.heats.frame.append(s.image);
  s.truth = data.truth && figure(s, 'Truth', data.truth, one => one.class);
  s.plain = data.plain && figure(s, 'Threshold', data.plain.map(box => ({ box })), null);
  $(root, '.grid').replaceChildren(...[s.found, s.heats, s.truth, s.plain].filter(Boolean).map(one => one.root));
  put(s.plain && $(s.plain.root, 'figcaption span'), 'what is brighter than Otsu’s threshold, in pieces: no class, and things that touch are one');
  const head = ['Class', 'Score', 'Box: left, top, right, bottom', ...(data.truth ? ['IoU with the truth'] : [])];
  const row = tag('tr');
  row.append(...head.map(word => tag('th', { scope: 'col' }, word)));
  $(root, 'thead').replaceChildren(row);
  s.rows = data.boxes.map((one, i) => {
    const line = tag('tr'), name = tag('td');
    name.append(tag('i', { style: `background:${colour(data, one)}` }), one.class);
    line.append(name, tag('td', {}, one.score.toFixed(2)), tag('td', {}, one.box.map(v => v.toFixed(1)).join(', ')));
    if (data.truth) line.append(tag('td', {}, one.truth < 0 ? 'no such thing there' : one.iou.toFixed(2)));
    line.onpointerenter = () => s.found.rects[i].classList.add('lit');
    line.onpointerleave = () => s.found.rects[i].classList.remove('lit');
    return line;
  });
  $(root, 'tbody').replaceChildren(...s.rows);
  mark(s);
  warm(s, Math.min(s.heat, data.heats.length - 1));
}

const colour = (data, one) => data.classes.find(([name]) => name === one.class)?.[1];

// Black or white, whichever stands out more on a colour "rgb(r, g, b)": by WCAG's relative luminance.
function inkOn(colour) {
  const [r, g, b] = colour.match(/\d+/g).map(v => (v / 255 <= .04045 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4));
  return .2126 * r + .7152 * g + .0722 * b > .179 ? '#000' : '#fff';
}

// The picture with boxes over it and a word at each; words: of one box, or null for none.
function figure(s, name, boxes, words) {
  const { data } = s, root = tag('figure', { 'data-picture': name }), frame = tag('div', { class: 'frame' });
  const image = tag('img', { src: data.picture, alt: name, draggable: 'false' });
  if (data.width < 200) image.className = 'small';
  const over = svg('svg', { viewBox: `0 0 ${data.width} ${data.height}`, preserveAspectRatio: 'none' });
  const rects = boxes.map(one => {
    const [x0, y0, x1, y1] = one.box, rect = svg('rect', { x: x0, y: y0, width: x1 - x0, height: y1 - y0 });
    if (one.class) rect.style.stroke = colour(data, one); else rect.classList.add('plain');
    return rect;
  });
  over.append(...[...rects].reverse());  // the best on top
  const labels = words ? boxes.map(one => {
    const [x0, y0, x1, y1] = one.box, back = colour(data, one);
    const label = tag('b', { style: `background:${back};color:${inkOn(back)}` }, words(one));
    if (x0 < .6 * data.width) label.style.left = `${100 * x0 / data.width}%`; else label.style.right = `${100 - 100 * x1 / data.width}%`;
    if (y0 > .08 * data.height) label.style.bottom = `${100 - 100 * y0 / data.height}%`; else label.style.top = `${100 * y1 / data.height}%`;
    return label;
  }) : [];
  frame.append(image, over, ...[...labels].reverse());
  const caption = tag('figcaption');
  caption.append(tag('strong', {}, name), tag('span'));
  root.append(frame, caption);
  return { root, frame, rects, labels };
}

// What the threshold leaves: boxes, labels, rows and sums.
function mark(s) {
  const { data } = s, kept = data.boxes.map(one => one.score >= s.sure);
  put($(s.root, 'output'), s.sure.toFixed(2));
  kept.forEach((yes, i) => {
    s.found.rects[i].style.display = s.found.labels[i].style.display = yes ? '' : 'none';
    s.rows[i].hidden = !yes;
  });
  const many = kept.filter(Boolean).length, boxes = data.boxes.filter((_, i) => kept[i]);
  put($(s.found.root, 'figcaption span'), many ? `${many} ${many === 1 ? 'box' : 'boxes'}` : 'nothing with such a score');
  const sums = $(s.root, '.sums'), right = boxes.filter(one => one.truth >= 0);
  Object.assign(sums.dataset, { found: many, right: right.length, things: data.truth?.length ?? '' });
  sums.hidden = !data.truth;
  $(s.root, 'table').hidden = !many;
  if (!data.truth) return;
  data.truth.forEach((one, j) => {
    const box = right.find(box => box.truth === j);
    put(s.truth.labels[j], box ? `${one.class}, IoU ${box.iou.toFixed(2)}` : `${one.class}, missed`);
    s.truth.rects[j].classList.toggle('missed', !box);
  });
  put($(s.truth.root, 'figcaption span'), 'dashed: missed');
  const mean = right.reduce((sum, one) => sum + one.iou, 0) / right.length;
  sums.replaceChildren('Of ', tag('strong', {}, `${data.truth.length}`), ' things ', tag('strong', {}, `${right.length}`), ' are found',
    right.length ? `, mean IoU ${mean.toFixed(2)}` : '', `; ${many - right.length} of ${many} ${many === 1 ? 'box' : 'boxes'} wrong or twice.`);
}

function warm(s, i) {
  s.heat = i;
  s.image.src = s.data.heats[i];
  [...$(s.root, '.classes').children].forEach((one, j) => {
    one.setAttribute('aria-checked', i === j);
    one.tabIndex = i === j ? 0 : -1;
  });
  put($(s.heats.root, 'figcaption span'), i ? `how sure it is of a ${s.data.classes[i - 1][0]}’s centre` : 'how sure it is of a centre, in the class’s colour');
  s.heats.root.dataset.heat = i ? s.data.classes[i - 1][0] : 'All';
}
