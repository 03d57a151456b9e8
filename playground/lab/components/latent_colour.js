// What the points' colours say: their class, their error, or one entry of their code; and the legend that tells it.
function colourChoices(room) {
  const { info, $ } = room, select = $('.colour select'), all = [...(info.has_labels ? [['class', 'class']] : []), ['error', 'error']];
  for (let i = 0; i < info.k; i++) all.push([`entry ${i}`, `entry ${i + 1}`]);
  if (!info.has_labels) all.unshift(['none', 'none']);
  select.replaceChildren(...all.map(([v, words]) => tag('option', { value: v }, words)));
  select.value = all.some(([v]) => v === room.prefs.colour) ? room.prefs.colour : all[0][0];
}

async function recolour(room) {
  const { info, map, points } = room, by = room.$('.colour select').value, n = info.m, tint = new Uint8Array(3 * n);
  room.$('.host').dataset.colour = by;
  if (by === 'class' || by === 'none') {
    for (let i = 0; i < n; i++) tint.set(by === 'none' ? map.accent : map.hues[points.labels[i] % HUES], 3 * i);
    classLegend(room, by === 'class');
    return map.paintWith(tint, by === 'none');
  }
  let values = points.errors;
  if (by.startsWith('entry')) {
    try { values = (await room.ask.arrays('entries.bin', { entries: by.slice(6) })).values; } catch (error) { return room.trouble(error); }
  }
  const sorted = Float32Array.from(values).sort(), low = sorted[Math.floor(n * .01)], high = sorted[Math.floor((n - 1) * .99)];
  const both = by !== 'error' && low < 0 && high > 0, most = Math.max(-low, high), host = room.$('.host');
  const stops = both ? ['neg', 'ghost', 'pos'] : ['ghost', 'high'], colours = stops.map(name => rgb(host, name));
  for (let i = 0; i < n; i++) {
    const t = both ? (values[i] / most + 1) / 2 : (values[i] - low) / Math.max(high - low, 1e-12);
    const k = clamp(t, 0, 1) * (colours.length - 1), j = Math.min(Math.floor(k), colours.length - 2);
    for (let c = 0; c < 3; c++) tint[3 * i + c] = colours[j][c] + (colours[j + 1][c] - colours[j][c]) * (k - j);
  }
  const scale = tag('span', { class: 'scale' }), digits = v => Number(v.toPrecision(2)).toString().replace('-', '−');
  const ends = both ? [-most, most] : [low, high], ramp = tag('i', { class: 'ramp' });
  ramp.style.cssText += `width:120px;height:9px;border-radius:3px;background:linear-gradient(90deg,${stops.map(s => `var(--ap-${s})`).join(',')})`;
  scale.append(digits(ends[0]), ramp, digits(ends[1]), by === 'error' ? ' mean squared error' : ` code ${room.$('.colour select').selectedOptions[0].textContent}`);
  room.$('.legend').replaceChildren(scale);
  map.only = null;
  map.paintWith(tint, true);
}

function classLegend(room, on) {
  const { map, info } = room, box = room.$('.legend');
  box.replaceChildren(...(on ? map.present : []).map(label => {
    const button = tag('button', { type: 'button', 'aria-pressed': map.only === label, title: `Only ${info.classes[label]}` }), dot = tag('i');
    dot.style.background = `var(--ap-c${label % HUES})`;
    button.append(dot, info.classes[label]);
    button.onclick = () => {
      map.only = map.only === label ? null : label;
      [...box.children].forEach((one, i) => one.setAttribute('aria-pressed', map.present[i] === map.only));
      map.draw();
    };
    return button;
  }));
}
