// live-codes: up to 500 held-out images as thumbnails, gliding to where their code lies in the plane.
// Both axes have one scale, so that distances are true. Each class has its colour; the pointer enlarges a thumbnail.
// A run that has ended before it was seen here shows first how its codes moved while it learnt; a button shows it again.
const ACROSS = 25, COLOURS = 10, LASTS = 4500; // ms that a film lasts, however many frames it has
const ENDED = ['done', 'stopped', 'failed'];

export default function ({ data, parentElement: root }) {
  const state = bus.once(root, start);
  state.code = data.code;
  bus.follow(data.job);
  state.ask();
}

function start(root) {
  const s = { root, box: $(root, '.ap'), pad: $(root, '.pad'), canvas: $(root, '.pad > canvas'), run: null, only: null, view: null };
  s.ask = framed(() => draw(s));
  new ResizeObserver(s.ask).observe(s.pad);
  onTheme(() => { s.sprite = null; s.ask(); });
  s.pad.onpointermove = s.pad.onpointerdown = e => enlarged(s, e);
  s.pad.onpointerleave = () => { $(root, '.tip').style.display = 'none'; };
  $(root, '.replay').onclick = () => (s.playing ? stop(s) : play(s));
  bus.listen(s.box, run => { take(s, run); s.ask(); });
  return s;
}

function take(s, run) {
  if (s.run?.job !== run.job || (!s.raw && run.thumbnails_shape)) fetchThumbnails(s, run);
  s.run = run;
  if (!run.view || !run.labels) return;
  const { codes, reach } = run.view, n = codes.length;
  const to = Float32Array.from(codes, v => v / 32000 * reach);
  if (s.job !== run.job || !ENDED.includes(run.status)) forget(s);
  if (!s.at || s.at.length !== n || s.job !== run.job) s.at = to.slice();
  s.last = to;
  if (!s.playing) s.to = to;
  const seen = s.job === run.job && s.live;
  Object.assign(s, { job: run.job, live: seen || !ENDED.includes(run.status) });
  if (ENDED.includes(run.status) && s.asked !== run.job) offer(s, run.job);
  const [a, b] = run.view.spread, share = v => ` ${Math.round(v * 100)} % of variance`;
  const many = n / 2, plane = a === undefined ? 'the code itself' : `principal plane of ${s.code ?? run.view.activity.length}`;
  s.sub = `${many} held-out ${isPlane(run.shape) ? 'points' : 'images'}, ${plane}`;
  if (!s.playing) put($(s.root, '.sub'), s.sub);
  put($(s.root, '.ax1'), a === undefined ? 'code entry 1' : 'axis 1,' + share(a));
  put($(s.root, '.ax2'), a === undefined ? (run.view.activity.length > 1 ? 'code entry 2' : '') : 'axis 2,' + share(b));
  s.box.dataset.step = run.view.step;
  s.box.dataset.codes = many;
  s.canvas.setAttribute('aria-label', `${many} codes in the plane`);
}

// The film of a run that has ended: played by itself where its codes were not seen to move.
async function offer(s, job) {
  s.asked = job;
  const answer = await fetch(new URL(`/live/${job}/film`, document.baseURI)).catch(() => null), told = answer?.ok ? await answer.json() : null;
  if (s.asked !== job || !(told?.steps.length > 1)) return;
  const bytes = Uint8Array.from(atob(told.places), c => c.charCodeAt(0)), all = Float32Array.from(new Int16Array(bytes.buffer), v => v / 32000 * told.reach);
  const size = all.length / told.steps.length;
  s.film = told.steps.map((step, i) => ({ step, places: all.subarray(i * size, (i + 1) * size) }));
  s.box.dataset.film = s.film.length;
  $(s.root, '.replay').hidden = false;
  if (!s.live && !matchMedia('(prefers-reduced-motion: reduce)').matches) play(s);
}

function play(s) {
  let next = 0;
  const show = () => {
    if (next === s.film.length) return stop(s);
    const { step, places } = s.film[next++];
    s.to = places;
    s.box.dataset.frame = next;
    put($(s.root, '.sub'), `step ${step.toLocaleString('en')} of its training`);
    s.playing = setTimeout(show, LASTS / s.film.length);
    s.ask();
  };
  s.at = s.film[0].places.slice();
  $(s.root, '.replay').setAttribute('aria-pressed', 'true');
  show();
}

function stop(s) {
  clearTimeout(s.playing);
  s.playing = 0;
  s.to = s.last;
  $(s.root, '.replay').setAttribute('aria-pressed', 'false');
  put($(s.root, '.sub'), s.sub);
  s.ask();
}

function forget(s) {
  if (s.playing) stop(s);
  Object.assign(s, { asked: null, film: null });
  delete s.box.dataset.film;
  $(s.root, '.replay').hidden = true;
}

async function fetchThumbnails(s, run) {
  if (!run.thumbnails_shape || s.fetched === run.job) return;
  s.fetched = run.job;
  const shape = run.thumbnails_shape, ink = run.ink, labels = run.labels;
  legend(s, run);
  const answer = await fetch(new URL(`/live/${run.job}/thumbnails`, document.baseURI)).catch(() => null);
  if (!answer?.ok) { s.fetched = null; return; }
  const raw = new Uint8Array(await answer.arrayBuffer());
  if (s.fetched !== run.job) return;
  Object.assign(s, { raw, shape, ink, labels, sprite: null });
  s.ask();
}

function legend(s, run) {
  const box = $(s.root, '.legend'), names = [...run.classes], present = [...new Set(run.labels)].sort((a, b) => a - b);
  s.only = null;
  const short = names.every(name => name.length <= 2);
  box.classList.toggle('named', !short);
  box.replaceChildren(...(present.length < 2 ? [] : present.slice(0, 62)).map(label => {
    const button = tag('button', { type: 'button', 'aria-pressed': 'false', 'aria-label': `Show only ${names[label]}` });
    if (short) { button.textContent = names[label]; button.style.color = `var(--ap-c${label % COLOURS})`; }
    else { button.append(tag('i'), names[label]); $(button, 'i').style.color = `var(--ap-c${label % COLOURS})`; }
    button.onclick = () => {
      s.only = s.only === label ? null : label;
      [...box.children].forEach((one, i) => one.setAttribute('aria-pressed', present[i] === s.only));
      s.ask();
    };
    return button;
  }));
}

// All thumbnails on one canvas. Ink takes its class's colour, its pixels being the opacity; a picture gets a frame.
function makeSprite(s) {
  const [n, c, h, w] = s.shape, sprite = document.createElement('canvas'), rows = Math.ceil(n / ACROSS);
  sprite.width = w * ACROSS;
  sprite.height = h * rows;
  const x = sprite.getContext('2d'), image = x.createImageData(w, h);
  const colours = Array.from({ length: COLOURS }, (_, i) => rgb(s.pad, 'c' + i));
  s.single = new Set(s.labels).size < 2;
  for (let i = 0; i < n; i++) {
    const colour = s.single ? rgb(s.pad, 'accent') : colours[s.labels[i] % COLOURS];
    if (s.ink) for (let p = 0; p < h * w; p++) {
      for (let k = 0; k < 3; k++) image.data[4 * p + k] = colour[k];
      image.data[4 * p + 3] = s.raw[i * h * w + p];
    } else paint(image.data, s.raw, s.shape, i, false);
    x.putImageData(image, (i % ACROSS) * w, Math.floor(i / ACROSS) * h);
  }
  s.colours = colours;
  s.sprite = sprite;
}

// The middle and the size of what is to be seen; follows slowly, so that the plane does not jump.
function frame(s, W, H) {
  const xs = [], ys = [];
  for (let i = 0; i < s.to.length; i += 2) { xs.push(s.to[i]); ys.push(s.to[i + 1]); }
  xs.sort((a, b) => a - b);
  ys.sort((a, b) => a - b);
  const q = (v, t) => v[Math.min(v.length - 1, Math.floor(t * v.length))], middle = v => (q(v, .003) + q(v, .997)) / 2;
  const half = v => Math.max((q(v, .997) - q(v, .003)) / 2, 1e-9), room = s.thumb * .55 + 6;
  const wanted = { x: middle(xs), y: middle(ys), scale: Math.min((W / 2 - room) / half(xs), (H / 2 - room) / half(ys)) };
  const view = s.view;
  if (!view || view.job !== s.job) { s.view = { ...wanted, job: s.job }; return false; }
  const by = Math.log(wanted.scale / view.scale), off = Math.abs(wanted.x - view.x) + Math.abs(wanted.y - view.y);
  if (Math.abs(by) < .01 && off * view.scale < 1) return false;
  view.scale *= Math.exp(by * .12);
  view.x += (wanted.x - view.x) * .12;
  view.y += (wanted.y - view.y) * .12;
  return true;
}

function draw(s) {
  if (!s.at || !s.raw || s.raw.length !== s.shape.reduce((a, b) => a * b)) return;
  if (!s.sprite) makeSprite(s);
  const dpr = devicePixelRatio || 1, W = s.pad.clientWidth, H = s.pad.clientHeight, many = Math.min(s.at.length / 2, s.shape[0]);
  if (!W || !H) return;
  const wide = Math.round(W * dpr), tall = Math.round(H * dpr);
  if (s.canvas.width !== wide || s.canvas.height !== tall) Object.assign(s.canvas, { width: wide, height: tall });
  s.plane = isPlane(s.shape.slice(1));
  s.thumb = s.plane ? 7 : Math.max(14, Math.min(34, Math.sqrt(W * H / many) * .95));
  let moves = frame(s, W, H);
  for (let j = 0; j < s.at.length; j++) {
    const d = s.to[j] - s.at[j];
    s.at[j] += d * .3;
    if (Math.abs(d) * s.view.scale > .5) moves = true;
  }
  const c = s.canvas.getContext('2d');
  c.setTransform(dpr, 0, 0, dpr, 0, 0);
  c.clearRect(0, 0, W, H);
  s.place = i => [W / 2 + (s.at[2 * i] - s.view.x) * s.view.scale, H / 2 - (s.at[2 * i + 1] - s.view.y) * s.view.scale];
  axes(s, c, W, H);
  for (let i = 0; i < many; i++) one(s, c, i);
  ruler(s, W);
  return moves;
}

function axes(s, c, W, H) {
  const x = Math.round(W / 2 - s.view.x * s.view.scale) + .5, y = Math.round(H / 2 + s.view.y * s.view.scale) + .5;
  c.strokeStyle = css(rgb(s.pad, 'line'));
  c.lineWidth = 1;
  c.beginPath();
  c.moveTo(0, y); c.lineTo(W, y); c.moveTo(x, 0); c.lineTo(x, H);
  c.stroke();
}

function one(s, c, i) {
  const [, , h, w] = s.shape, [x, y] = s.place(i), colour = s.single ? rgb(s.pad, 'accent') : s.colours[s.labels[i] % COLOURS];
  c.globalAlpha = s.only !== null && s.labels[i] !== s.only ? .07 : 1;
  if (s.plane) {
    c.fillStyle = css(colour);
    c.beginPath();
    c.arc(x, y, 2.6, 0, 7);
    c.fill();
  } else {
    const size = s.ink ? s.thumb : s.thumb * .8, k = size / Math.max(w, h), tw = w * k, th = h * k;
    c.drawImage(s.sprite, (i % ACROSS) * w, Math.floor(i / ACROSS) * h, w, h, x - tw / 2, y - th / 2, tw, th);
    if (!s.ink && !s.single) {
      c.strokeStyle = css(colour);
      c.lineWidth = 1.5;
      c.strokeRect(x - tw / 2, y - th / 2, tw, th);
    }
  }
  c.globalAlpha = 1;
}

function ruler(s, W) {
  const raw = W * .12 / s.view.scale, power = 10 ** Math.floor(Math.log10(raw)), step = [5, 2, 1].find(k => k * power <= raw) * power;
  $(s.root, '.ruler i').style.width = `${(step * s.view.scale).toFixed(1)}px`;
  put($(s.root, '.ruler b'), String(+step.toPrecision(1)));
}

function enlarged(s, e) {
  const tip = $(s.root, '.tip');
  if (!s.place || !s.sprite) return;
  const b = s.pad.getBoundingClientRect(), mx = e.clientX - b.left, my = e.clientY - b.top;
  let best = -1, nearest = 500;
  for (let i = 0; i < s.shape[0]; i++) {
    if (s.only !== null && s.labels[i] !== s.only) continue;
    const [x, y] = s.place(i), d = (x - mx) ** 2 + (y - my) ** 2;
    if (d < nearest) [nearest, best] = [d, i];
  }
  if (best < 0) { tip.style.display = 'none'; return; }
  const [, , h, w] = s.shape, k = Math.max(1, Math.round(88 / Math.max(w, h))), canvas = $(tip, 'canvas');
  Object.assign(canvas, { width: w * k, height: h * k });
  canvas.style.display = s.plane ? 'none' : '';
  const c = canvas.getContext('2d');
  c.imageSmoothingEnabled = false;
  c.drawImage(s.sprite, (best % ACROSS) * w, Math.floor(best / ACROSS) * h, w, h, 0, 0, w * k, h * k);
  put($(tip, 'span'), s.run.classes[s.labels[best]] ?? '');
  tip.style.display = 'block';
  tip.style.left = `${mx > b.width / 2 ? mx - tip.offsetWidth - 14 : mx + 14}px`;
  tip.style.top = `${Math.max(2, Math.min(my - 40, b.height - tip.offsetHeight - 2))}px`;
}
