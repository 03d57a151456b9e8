// The tools below the panel: sliders that steer the code, scores, the map's knobs, and what can be saved.
const TABS = { steer: 'Steer', draw: 'Draw', scores: 'Scores', map: 'Map and files' };
const SLIDERS = 6; // principal directions that can be moved along
const WAYS = { neighbours: '40 nearest codes', inverse: "UMAP's inverse" };

function makeTabs(room) {
  const box = room.$('.tabs'), open = name => {
    room.prefs.tab = name;
    for (const b of box.children) b.setAttribute('aria-selected', b.dataset.v === name);
    for (const tab of room.all('.tab')) tab.hidden = tab.dataset.tab !== name;
    if (name === 'scores') loadScores(room);
    if (name === 'draw') room.pad?.wake();
  };
  box.replaceChildren(...Object.entries(TABS).map(([name, words]) => {
    const button = tag('button', { type: 'button', role: 'tab', 'data-v': name }, words);
    button.onclick = () => open(name);
    return button;
  }));
  room.openTab = open;
  open(room.prefs.tab ?? 'steer');
}

// Steer --------------------------------------------------------------------------------------------------------------

async function loadDirections(room) {
  const told = await room.ask.json('directions').catch(() => null);
  room.directions = told && { ...told, axes: floats(told.directions) };
  if (told) steeredFrom(room, room.code ?? told.mean);
  makeSliders(room);
}

function makeSliders(room) {
  const d = room.directions, box = room.$('.sliders');
  room.sliders = [];
  if (!d) return box.replaceChildren(tag('p', { class: 'muted' }, 'These codes have no directions to move along.'));
  const entries = room.prefs.axes === 'entries', k = d.mean.length;
  const many = entries ? k : Math.min(d.count, SLIDERS);
  box.replaceChildren(...Array.from({ length: many }, (_, i) => {
    const sd = d.sd[i] || 1e-9, [low, high] = entries ? [d.entry_low[i], d.entry_high[i]] : [d.low[i] / sd, d.high[i] / sd];
    const pad = Math.max(high - low, 1e-6) * .25, [min, max] = [low - pad, high + pad];
    const words = entries ? `entry ${i + 1}` : `${i + 1} · ${Math.round(100 * d.share[i])} % of var.`;
    const row = tag('label', { class: 'drow', title: entries ? 'Moves this one entry of the code' : 'Moves the code along this principal direction' });
    const input = tag('input', { type: 'range', min, max, step: (max - min) / 200, 'aria-label': entries ? `Code entry ${i + 1}` : `Direction ${i + 1}, in standard deviations` });
    const output = tag('output'), unit = entries ? '' : ' σ';
    row.style.setProperty('--zero', `${clamp(-min / (max - min), 0, 1) * 100}%`);
    const slider = {
      show(v) { input.value = v; slider.words(v); },
      words(v) { put(output, Number(v).toFixed(entries && max - min < 2 ? 2 : 1).replace(/^-(?=0\.?0*$)/, '').replace('-', '−') + unit); },
      read: () => entries ? room.code[i] : along(room, i) / sd,
    };
    input.oninput = () => { slider.words(Number(input.value)); steer(room, i, Number(input.value) - slider.read(), entries); };
    room.sliders.push(slider);
    row.append(tag('span', {}, words), input, output);
    return row;
  }));
  for (const slider of room.sliders) slider.show(slider.read());
}

// How far the present code lies along principal direction i.
function along(room, i) {
  const { mean, axes } = room.directions, k = mean.length;
  return mean.reduce((sum, m, j) => sum + (room.code[j] - m) * axes[i * k + j], 0);
}

function steeredFrom(room, code) {
  room.code = Array.from(code);
  for (const slider of room.sliders ?? []) slider.show(slider.read());
}

function steer(room, i, by, entries) {
  if (!room.directions) return; // those of the model before, while another one loads
  const { axes, mean, sd } = room.directions, k = mean.length;
  if (entries) room.code[i] += by;
  else for (let j = 0; j < k; j++) room.code[j] += by * sd[i] * axes[i * k + j];
  showCode(room, 'Steered code');
}

function surprise(room) {
  const d = room.directions;
  if (!d) return;
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()), k = d.mean.length;
  const code = d.mean.slice();
  for (let i = 0; i < d.count; i++) for (let j = 0, z = normal() * d.sd[i]; j < k; j++) code[j] += z * d.axes[i * k + j];
  steeredFrom(room, code);
  showCode(room, 'A random code');
}

function showCode(room, title, code = room.code.slice()) {
  const { $, map, info } = room, hero = $('.hero'), mine = ++room.turn;
  $('.latent').classList.remove('walking');
  room.place = null;
  room.again = () => showCode(room, title, code);
  put($('.title'), title);
  room.post('steer', async () => {
    const told = await decoded(room, { code });
    if (!told || mine !== room.turn) return;
    show(room, hero, told.sheet);
    Object.assign(hero.dataset, { source: 'code', index: '', distance: told.distance.toFixed(4) });
    put($('.chip'), 'exact');
    map.chosen = { x: told.place[0], y: told.place[1], index: -1, landed: told.landed };
    map.over();
    const own = majority(room, told.nearest);
    facts(room, [['Encoded again, it lands', `${(100 * told.distance).toFixed(1)} %`, 'of the map away'],
      ...(info.has_labels ? [['Class by its neighbours', info.classes[own], votes(room, told.nearest, own)]] : [])]);
    ends(room, { code, place: told.place, sheet: told.sheet });
    neighboursOf(room, { code }, own, mine);
  });
}

// Scores -------------------------------------------------------------------------------------------------------------

const SCORES = { trustworthiness: 'Trustworthiness', knn_accuracy: 'k-NN accuracy', silhouette: 'Silhouette', hit: 'Neighbourhood hit', precision: 'Precision@10' };
async function loadScores(room) {
  const table = room.$('[data-tab=scores] table'), meaning = room.$('.meaning');
  if (!room.info || room.map.live || room.scoredFor === room.map.key) return room.scores;
  const key = room.scoredFor = room.map.key;
  put(meaning, 'Comparing neighbourhoods: some seconds …');
  try { room.scores = await room.ask.json('scores'); } catch (error) {
    room.scoredFor = '';
    put(meaning, error.message);
    return null;
  }
  if (key !== room.map.key) return room.scores;
  const { rows, meanings, points, size } = room.scores, columns = { code: ['This code', size], pca: ['PCA', size], pixels: ['Pixels', ''], map: ['The map', 2] };
  const head = tag('tr'), body = tag('tbody');
  head.append(tag('th'), ...Object.values(columns).map(([words, d]) => {
    const th = tag('th', { scope: 'col' }, words);
    th.append(tag('br'), d === '' ? 'raw' : `${d} ${d === 1 ? 'entry' : 'entries'}`);
    return th;
  }));
  for (const [name, words] of Object.entries(SCORES)) {
    const row = tag('tr', { title: meanings[name], tabindex: 0, 'data-score': name });
    row.append(tag('th', { scope: 'row' }, words), ...Object.keys(columns).map(c => tag('td', {}, rows[c][name] == null ? '–' : rows[c][name].toFixed(3))));
    row.onpointerenter = row.onfocus = row.onclick = () => {
      for (const other of body.children) other.classList.toggle('told', other === row);
      put(meaning, meanings[name]);
    };
    body.append(row);
  }
  const thead = tag('thead');
  thead.append(head);
  table.replaceChildren(thead, body);
  body.firstChild.classList.add('told');
  put(meaning, `${meanings.trustworthiness} Over ${count(points)} images.`);
  return room.scores;
}

// The map's knobs and files ------------------------------------------------------------------------------------------

function makeKnobs(room) {
  const box = room.$('.knobs'), set = { ...room.knobs, kind: room.wanted };
  const shown = room.data.knobs.filter(({ name, when }) => name !== 'kind' && (!when || when[1].includes(set[when[0]])));
  const fields = shown.map(knob => {
    const now = room.knobs[knob.name], entry = knob.name === 'first' || knob.name === 'second';
    const options = entry ? Array.from({ length: room.info.k }, (_, i) => i) : knob.choices.length ? knob.choices : knob.stops;
    const change = value => {
      room.knobs[knob.name] = typeof knob.default === 'number' ? Number(value) : value;
      room.keep();
      ({ count: () => load(room), way: () => otherWay(room) }[knob.name] ?? (() => setKind(room, room.wanted)))();
    };
    return field(knob.name === 'count' ? 'Images' : knob.label, options, now, change, knob.help, v => entry ? `entry ${v + 1}` : WAYS[v] ?? (typeof v === 'number' ? v.toLocaleString('en') : v[0].toUpperCase() + v.slice(1)), knob);
  });
  box.replaceChildren(...fields);
}

// The points stay where they are; a place that was clicked is decoded again, so that both ways can be compared.
function otherWay(room) {
  room.ask.knobs.way = room.knobs.way;
  room.tellHow();
  if (room.place?.index < 0) room.again();
}

function field(words, options, now, change, help, say, knob) {
  const label = tag('label', { title: help }, words), list = [...options];
  if (!list.length) {
    const input = label.appendChild(tag('input', { type: 'number', min: knob.low, max: knob.high, value: now, step: 1 }));
    input.onchange = () => { input.value = clamp(Math.round(Number(input.value) || 0), knob.low, knob.high); change(input.value); };
  } else {
    if (!list.includes(now)) list.push(now);
    if (typeof list[0] === 'number') list.sort((a, b) => a - b);
    const select = label.appendChild(tag('select'));
    select.append(...list.map(v => {
      const option = tag('option', { value: v }, say(v));
      option.selected = v === now;
      return option;
    }));
    select.onchange = () => change(select.value);
  }
  label.append(tag('small', {}, help.split(/[.;:](?:\s|$)/)[0]));
  return label;
}

function savePng(room) {
  const { map } = room, picture = document.createElement('canvas'), c = picture.getContext('2d');
  sized(picture, map.base.width, map.base.height);
  c.fillStyle = css(map.page);
  c.fillRect(0, 0, picture.width, picture.height);
  for (const layer of [map.base, map.top]) c.drawImage(layer, 0, 0);
  picture.toBlob(blob => saved(blob, 'latent-map.png'));
}
