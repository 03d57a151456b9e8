// Pictures of the same place side by side, with one lens over all of them. data: {pictures: [{name, url, numbers}]};
// numbers: [[name, text, best], ...]. Nothing is asked of the server.
const ZOOMS = [2, 3, 4, 6, 8, 12], STEP = .02;

export default function ({ data, parentElement: root }) {
  const state = bus.once(root, start);
  show(state, data.pictures);
}

function start(root) {
  const s = { grid: root.querySelector('.grid'), zoom: 2, at: null, frames: [] };
  const { grid } = s;
  const place = e => {
    const frame = e.target.closest('.frame');
    if (!frame) return;
    const box = frame.getBoundingClientRect();
    s.at = [(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height];
    look(s);
  };
  grid.onpointermove = grid.onpointerdown = place;
  grid.onpointerleave = e => { if (e.pointerType === 'mouse') { s.at = null; look(s); } };
  // Only after a click into the pictures: who scrolls the page past them must not be held up.
  const within = () => grid.getRootNode().activeElement === grid;
  grid.addEventListener('wheel', e => { if (s.at && within()) { e.preventDefault(); zoom(s, e.deltaY < 0 ? 1 : -1); } }, { passive: false });
  grid.onkeydown = e => {
    const move = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[e.key];
    if (move) { const [x, y] = s.at ?? [.5, .5]; s.at = [clamp(x + move[0], 0, 1), clamp(y + move[1], 0, 1)]; }
    else if (e.key === 'Escape') s.at = null;
    else if (e.key === '+' || e.key === '=') zoom(s, 1);
    else if (e.key === '-') zoom(s, -1);
    else return;
    e.preventDefault();
    look(s);
  };
  return s;
}

function show(s, pictures) {
  const key = JSON.stringify(pictures.map(one => [one.name, one.url.length, one.url.slice(-60), one.numbers]));
  if (key === s.key) return;
  s.key = key;
  s.frames = pictures.map(one => {
    const figure = tag('figure', { 'data-picture': one.name }), frame = tag('div', { class: 'frame' });
    const image = tag('img', { src: one.url, alt: one.name, draggable: 'false' }), lens = tag('div', { class: 'lens', hidden: '' });
    image.onload = () => image.classList.toggle('small', image.naturalWidth < 200);
    lens.style.backgroundImage = `url(${one.url})`;
    frame.append(image, lens);
    const caption = tag('figcaption');
    caption.append(tag('b', {}, one.name));
    for (const [name, text, best] of one.numbers) caption.append(tag('span', best ? { class: 'best' } : {}, `${name} ${text}`));
    figure.append(frame, caption);
    return { figure, frame, image, lens };
  });
  s.grid.replaceChildren(...s.frames.map(one => one.figure));
  s.at = null;
}

function zoom(s, by) {
  s.zoom = clamp(s.zoom + by, 0, ZOOMS.length - 1);
  look(s);
}

// The same place in every picture, in the middle of its lens; the lens itself stays within its picture.
function look(s) {
  for (const { frame, lens } of s.frames) {
    lens.hidden = !s.at;
    if (!s.at) continue;
    const W = frame.clientWidth, H = frame.clientHeight, side = lens.offsetWidth, [x, y] = s.at, k = ZOOMS[s.zoom];
    lens.style.left = `${clamp(x * W - side / 2, 0, Math.max(0, W - side))}px`;
    lens.style.top = `${clamp(y * H - side / 2, 0, Math.max(0, H - side))}px`;
    lens.style.backgroundSize = `${k * W}px ${k * H}px`;
    lens.style.backgroundPosition = `${side / 2 - k * x * W}px ${side / 2 - k * y * H}px`;
  }
  s.grid.dataset.lens = s.at ? s.at.map(v => v.toFixed(3)).join() : '';
  s.grid.dataset.zoom = ZOOMS[s.zoom];
}
