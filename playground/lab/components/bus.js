// The page's one live connection, shared by its components; this file is put before each component's own script.
const bus = (window.__apBus ||= (() => {
  const listeners = new Set();
  let job = null, run = null, socket = null, opened = false, failures = 0, retry = 0, resting = 0;

  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const empty = name => ({ job: name, rows: [], marks: [], earlier: [], term_names: [], terms: [], view: null, step: 0 });

  // Rows come with an overlap: those we have from the first one given on are replaced.
  function mergeRows(rows) {
    let keep = run.rows.length;
    while (keep && rows.length && run.rows[keep - 1][0] >= rows[0][0]) keep--;
    run.rows.length = keep;
    run.rows.push(...rows);
  }

  // Handwriting on black is shown as ink on paper; a photograph must not become its own negative.
  function isInk(m) {
    const [n, c, h, w] = m.shown_shape;
    if (c !== 1 || h < 3) return c === 1;
    let sum = 0, count = 0;
    for (let i = 0; i < n; i++) for (let x = 0; x < w; x++) {
      sum += run.shown[i * h * w + x] + run.shown[i * h * w + (h - 1) * w + x];
      count += 2;
    }
    return sum / count < 40;
  }

  function merge(m) {
    if (m.hello || run?.job !== m.job) run = empty(m.job);
    const { rows, view, shown, labels, truth, ...rest } = m;
    Object.assign(run, rest, { waiting: m.waiting ?? null, connected: true });
    if (rows) m.hello ? (run.rows = rows) : mergeRows(rows);
    if (shown) {
      run.shown = bytes(shown);
      run.truth = truth ? bytes(truth) : null;
      run.labels = new Uint16Array(bytes(labels).buffer);
      run.ink = isInk(m);
    }
    if (view) {
      const seen = view.seen === undefined ? run.view?.seen : view.seen === null ? null : bytes(view.seen);
      run.view = {
        ...view, seen,
        output: view.output ? bytes(view.output) : run.view?.output,
        codes: new Int16Array(bytes(view.codes).buffer), activity: bytes(view.activity),
      };
    }
  }

  function tell(m) {
    for (const one of listeners) one.element.isConnected ? one.fn(run, m) : listeners.delete(one);
  }

  function hear(text) {
    const m = JSON.parse(text);
    if (m.job !== job) return;
    opened = true;
    failures = 0;
    merge(m);
    if (m.gone) close();
    tell(m);
  }

  function close() {
    clearTimeout(retry);
    if (socket) { socket.onclose = socket.onerror = socket.onmessage = null; socket.close(); }
    socket = null;
  }

  function lost() {
    close();
    failures++;
    if (run) { run.connected = false; tell({}); }
    retry = setTimeout(open, Math.min(5000, 250 * 2 ** failures));
  }

  // A web socket, since browsers allow a site only six open answers, all its tabs together; where a proxy
  // lets no web socket through, server-sent events.
  function open() {
    close();
    if (!job) return;
    const address = new URL('/live/' + job, document.baseURI);
    if (failures >= 2 && !opened) {
      socket = new EventSource(address);
    } else {
      address.protocol = address.protocol.replace('http', 'ws');
      socket = new WebSocket(address);
      socket.onclose = lost;
    }
    socket.onerror = lost;
    socket.onmessage = e => hear(e.data);
  }

  // A tab that nobody sees for ten seconds rests; it is told everything when it comes back.
  document.addEventListener('visibilitychange', () => {
    clearTimeout(resting);
    if (document.hidden) resting = setTimeout(close, 10000);
    else if (!socket && job) open();
  });

  return {
    bytes,
    get run() { return run; },
    // fn(run, message) is called at every message of the page's job, and at once if something is known.
    listen(element, fn) {
      listeners.add({ element, fn });
      if (run) fn(run, {});
    },
    follow(name) {
      if (name === job) return;
      job = name;
      opened = false;
      failures = 0;
      open();
    },
    once(root, start) { return (root.__ap ||= start(root)); },
  };
})());

const $ = (element, query) => element.querySelector(query);
const put = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };
const tag = (name, attributes = {}, text) => {
  const element = document.createElement(name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text !== undefined) element.textContent = text;
  return element;
};
const svg = (name, attributes = {}, text) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text !== undefined) element.textContent = text;
  return element;
};
const num = v => v == null || !isFinite(v) ? '–'
  : v >= 1000 ? Math.round(v).toLocaleString('en') : v >= 100 ? v.toFixed(1) : v >= 10 ? v.toFixed(2) : v.toFixed(3);
const count = v => v.toLocaleString('en');
const isPlane = shape => shape && shape[0] === 1 && shape[1] === 1 && shape[2] === 2;

// A token's present colour as [r, g, b]: a hidden element is asked, so that light-dark() is resolved.
const rgb = (element, name) => {
  const probe = element.__probe ||= element.appendChild(tag('i', { hidden: '' }));
  probe.style.color = `var(--ap-${name})`;
  return (getComputedStyle(probe).color.match(/[\d.]+/g) ?? [0, 0, 0]).slice(0, 3).map(Number); // none: the page was left
};
const css = colour => `rgb(${colour})`;

// Image i of raw (n, c, h, w) bytes into RGBA at `to`; ink: 0 is paper and 1 is ink, else black and white.
const paint = (to, raw, [, c, h, w], i, ink, low, high) => {
  const size = h * w, from = i * c * size;
  for (let p = 0; p < size; p++) {
    for (let k = 0; k < 3; k++) {
      const v = raw[from + (c === 3 ? k : 0) * size + p];
      to[4 * p + k] = ink ? low[k] + (high[k] - low[k]) * v / 255 : v;
    }
    to[4 * p + 3] = 255;
  }
};

// A picture enlarged so that all its pixels look equally large: to whole multiples, then smoothly to the size asked.
const enlarge = (context, picture, x, y, width, height, smooth = false) => {
  const factor = width / picture.width;
  context.imageSmoothingEnabled = smooth || factor < 1;
  if (smooth || factor < 1 || Number.isInteger(factor)) {
    context.drawImage(picture, x, y, width, height);
    return;
  }
  const k = Math.ceil(factor) * 2, big = enlarge.pad ||= document.createElement('canvas');
  big.width = picture.width * k;
  big.height = picture.height * k;
  const c = big.getContext('2d');
  c.imageSmoothingEnabled = false;
  c.drawImage(picture, 0, 0, big.width, big.height);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = 'high';
  context.drawImage(big, x, y, width, height);
};

// Calls draw at the next frame, once however often it was asked; again as long as draw says that something moves.
const framed = draw => {
  let asked = 0;
  const ask = () => { asked ||= requestAnimationFrame(() => { asked = 0; if (draw() === true) ask(); }); };
  return ask;
};

// Canvases hold pixels, so they must be told when the theme has changed; Streamlit says so on its outermost element.
const onTheme = fn => {
  const later = () => setTimeout(fn, 60);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', later);
  const app = document.querySelector('.stApp');
  if (app) new MutationObserver(later).observe(app, { attributes: true, attributeFilter: ['class', 'style'] });
};

const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const sized = (canvas, w, h) => { if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h }); };

// Answers of the playground's routes; an error carries the sentence to show.
async function reach(address, settings) {
  try { return await fetch(address, settings); } catch {
    throw new Error('The playground does not answer: it may have been stopped. What is on this page stays.');
  }
}

async function answered(answer) {
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.problem ?? 'The playground could not answer this.');
}
