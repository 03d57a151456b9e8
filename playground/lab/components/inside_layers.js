// Layers: all maps or units of the chosen layer and the first layer's filters. Code: what each entry draws and answers to.
async function showLayers(room) {
  const { turn } = room, fresh = room.filters?.step === room.passed?.step || room.learning && performance.now() - room.filtersAt < 1500;
  const known = room.filters && fresh && room.filters, told = known || await ask(room, 'filters'); // another image leaves them as they are
  if (turn === room.turn && !known) Object.assign(room, { filters: told, filtersAt: performance.now() });
  let drawn = !!known;
  return () => {
    if (!drawn) drawFilters(room, told.filters);
    drawn = false;
    drawLayer(room);
  };
}

function drawFilters(room, filters) {
  const { $ } = room, canvas = $('canvas.filters');
  const at = drawTiles(canvas, filters, room.look, { width: $('[data-tab=layers] > :last-child').clientWidth, height: roomFor(room, canvas) });
  const [n] = filters.shape, more = filters.count > n ? `the first ${n} of ${count(filters.count)}` : `all ${n}`;
  put($('.fsub'), `${more}${filters.shape[1] === 3 ? ', around grey' : '; blue: negative, orange: positive'}`);
  Object.assign(canvas.dataset, { count: n, norm: filters.norms[0], columns: at.columns });
  canvas.setAttribute('aria-label', `${n} filters of the first layer`);
}

function drawLayer(room) {
  const { $, passed, info } = room, i = clamp(room.layer, 0, info.layers.length - 2), one = info.layers[i + 1], told = passed?.layers[i];
  if (!told) return;
  const canvas = $('canvas.maps'), host = $('.plot.units');
  put($('.lname'), `Layer ${i + 1}: ${one.kind}`);
  const maps = told.maps, signs = maps ? (signed(maps) ? '; blue: negative, orange: positive' : '') : '';
  put($('.lsub'), maps ? `${maps.shape[0]}${maps.count > maps.shape[0] ? ` of ${maps.count}` : ''} feature ${maps.shape[0] === 1 ? 'map' : 'maps'}, one scale, largest ${num(told.peak)}${signs}` : `${count(one.units)} units, activation of each`);
  canvas.hidden = !maps;
  host.hidden = !!maps;
  if (maps) {
    drawTiles(canvas, maps, room.look, { width: $('[data-tab=layers] > :first-child').clientWidth, height: roomFor(room, canvas), most: 110 });
    canvas.setAttribute('aria-label', `${maps.shape[0]} feature maps of layer ${i + 1}`);
    Object.assign(canvas.dataset, { layer: i, peak: told.peak });
  } else {
    const y = span([0, ...told.units]);
    plot(host, { x: { label: 'unit', low: -.5, high: told.units.length - .5 }, y: { label: 'activation', ...y, low: Math.min(0, y.low) }, label: `Activations of ${told.units.length} units`,
      bars: told.units.map((v, k) => ({ x: k, y: v, title: `unit ${k}: ${num(v)}` })) });
    Object.assign(host.dataset, { layer: i, peak: told.peak, units: told.units.length });
  }
}

// Pixels from an element to the panel's lower edge.
const roomFor = (room, element) => Math.max(120, room.$('.stage').getBoundingClientRect().bottom - element.getBoundingClientRect().top - 6);

// The columns of all entries are asked for once; another entry needs only the images that excite it.
async function allColumns(room) {
  const slope = room.way === 'slope', of = slope ? room.shown.A : null, { turn, columns: known } = room;
  const fresh = known?.told.step === room.passed?.step || room.learning && performance.now() - known?.at < 1500;
  if (known?.turn === turn && known.way === room.way && known.of === of && fresh) return known.told;
  const told = await ask(room, 'columns', slope ? { way: 'slope', ...asImage(of) } : {});
  room.columns = { turn, told, of, way: slope ? 'slope' : 'column', at: performance.now() };
  return told;
}

async function showCode(room) {
  const slope = room.way === 'slope', [told, excited] = await Promise.all([allColumns(room), ask(room, `excite?entry=${room.entry}`)]);
  return async () => {
    const { $, info } = room, { columns } = told, canvas = $('canvas.columns'), l = room.entry;
    if (info.plane) planeColumns(room, columns, canvas); else {
      drawTiles(canvas, columns, room.look, { width: $('[data-tab=code] > :first-child').clientWidth, height: roomFor(room, canvas) - 24, most: 84, chosen: l });
    }
    if (!info.plane) canvas.onclick = e => { const i = tileUnder(canvas, e); if (i >= 0 && i < columns.shape[0]) setEntry(room, i); };
    canvas.onkeydown = e => {
      const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: canvas.__at?.columns ?? 1, ArrowUp: -(canvas.__at?.columns ?? 1) }[e.key];
      if (by) { e.preventDefault(); setEntry(room, clamp(l + by, 0, Math.min(info.k, columns.shape[0]) - 1)); }
    };
    Object.assign(canvas.dataset, { entry: l, norm: columns.norms[l], way: room.way });
    if (!info.plane) put($('.csub'), `${slope ? 'How the picture changes when the entry grows a little, at this image' : 'The picture of one unit of this entry alone, less that of an empty code'}: orange brighter, blue darker, each at its own contrast.${columns.count > columns.shape[0] ? ` The first ${columns.shape[0]} of ${columns.count}.` : ''}`);
    put($('.ename'), `Entry ${l}`);
    put($('.esub'), `${num(room.passed?.code?.[l])} for this image; mean ${num(excited.mean)} over ${count(excited.looked)} held-out images`);
    const one = { shape: [1, ...columns.shape.slice(1)], scale: [columns.scale[l]], bytes: tileOf(columns, l) };
    if (!info.plane) drawTiles($('.ecolumn'), one, room.look, { width: 132, height: 132, most: 132 });
    $('.ecolumn').hidden = info.plane;
    histogram(room, excited);
    exciting(room, excited);
  };
}

function tileOf(told, i) {
  const size = told.shape.slice(1).reduce((a, b) => a * b, 1);
  return unpackTiles(told).slice(i * size, (i + 1) * size);
}

// Of points there are no pictures: an entry is a step in the plane, drawn from where this point is taken to.
function planeColumns(room, columns, canvas) {
  const raw = unpackTiles(columns), side = Math.min(340, canvas.parentElement.clientWidth), from = room.passed.made;
  drawPoint(canvas, room, from, null, side);
  const c = canvas.getContext('2d'), at = ([x, y]) => [6 + x * (side - 12), side - 6 - y * (side - 12)];
  const longest = Math.max(...columns.norms, 1e-9), share = Math.min(1, .45 / longest);
  columns.scale.forEach((scale, l) => {
    const to = from.map((v, d) => v + share * raw[2 * l + d] / 127 * scale);
    arrow(c, at(from), at(to), css(l === room.entry ? room.look.held : room.look.ink2), l === room.entry ? 2.5 : 1.2);
  });
  canvas.onclick = null;
  put(room.$('.csub'), `One unit of an entry moves the point along its arrow, drawn${share < 1 ? ` at ${num(100 * share)} % of its length` : ''} from where the network takes this one; entry ${room.entry}: (${[0, 1].map(k => num(raw[2 * room.entry + k] / 127 * columns.scale[room.entry])).join(', ')}).`);
}

function histogram(room, told) {
  const { histogram: bins, low, high } = told, step = (high - low) / bins.length, now = room.passed?.code?.[room.entry];
  plot(room.$('.plot.spread'), { x: { label: `entry ${room.entry}`, low: Math.min(low, now ?? low), high: Math.max(high, now ?? high, low + 1e-6) }, y: { label: 'held-out images', low: 0, high: Math.max(...bins) * 1.08 },
    bars: bins.map((v, i) => ({ x: low + (i + .5) * step, y: v })), marks: now == null ? [] : [{ x: now, name: 'this image' }], label: 'How often the entry has which value' });
}

async function exciting(room, told) {
  const host = room.$('.exciting');
  put(room.$('.xsub'), `${told.index.length} held-out ${told.points ? 'points' : 'images'}, click one to look at it`);
  if (told.points) {
    const canvas = tag('canvas'), side = 150;
    host.replaceChildren(canvas);
    drawPoint(canvas, room, told.points[0], null, side);
    const at = ([x, y]) => [6 + x * (side - 12), side - 6 - y * (side - 12)];
    canvas.style.cursor = 'pointer';
    canvas.onclick = e => {
      const far = k => Math.hypot(...at(told.points[k]).map((v, d) => v - [e.offsetX, e.offsetY][d])), nearest = told.index.map((_, k) => k).reduce((a, b) => far(b) < far(a) ? b : a);
      setImage(room, 'A', { index: told.index[nearest] });
    };
    told.points.forEach(point => dot(canvas.getContext('2d'), at(point), 3, css(room.look.held)));
  } else {
    const sheet = await strip(told.strip, told.tile, room.ink, [room.look.low, room.look.high]);
    host.replaceChildren(...told.index.map((index, i) => {
      const button = tag('button', { type: 'button', title: `held-out image ${index}` }), canvas = tag('canvas', { class: 'px' });
      sheet.show(canvas, i);
      button.append(canvas, tag('span', {}, num(told.values[i])));
      button.onclick = () => setImage(room, 'A', { index });
      return button;
    }));
  }
  Object.assign(host.dataset, { index: told.index.join(','), first: told.values[0] });
}

function setEntry(room, i) {
  room.entry = i;
  room.post('tab', () => showTab(room));
}
