// Undercomplete: reconstruction error against code size, of runs on the same data and of PCA with every size.
async function showSizes(room) {
  const told = await ask(room, 'sizes'), { turn } = room;
  room.pca ??= ask(room, 'pca').then(({ errors }) => { if (turn === room.turn) { room.pca = errors; if (room.tab === 'undercomplete') drawSizes(room, room.sizes); } }).catch(error => { room.pca = null; trouble(room, error); });
  return () => drawSizes(room, told);
}

function drawSizes(room, told) {
  room.sizes = told;
  const { $ } = room, { runs, missing } = told, pca = Array.isArray(room.pca) ? room.pca : [], host = $('.plot.sizes'), learnt = runs.filter(one => one.error != null), last = pca.length - 1;
  const high = Math.max(2, ...runs.map(one => one.code)) * 1.5, at = k => pca[Math.min(k, last)], line = pca.map((v, k) => [k, v]).filter(([k]) => k >= 1 && k <= Math.min(high, last));
  const floor = Math.min(...learnt.map(one => one.error), line[0]?.[1] ?? Infinity) / 15, above = line.filter(([, v]) => v >= floor);
  const values = [...learnt.map(one => one.error), ...above.map(([, v]) => v)].filter(v => v > 1e-6), shown = values.length ? values : [1], own = runs.find(one => one.name === room.name);
  plot(host, { x: { label: 'code size, log scale', low: .8, high, log: true, ticks: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].filter(k => k <= high) }, y: { label: 'error, log scale', low: Math.min(...shown) * .8, high: Math.max(...shown) * 1.25, log: true },
    label: 'Reconstruction error against code size, networks and PCA', lines: [{ points: above, kind: 'held', name: 'PCA' }],
    dots: learnt.map(one => ({ x: one.code, y: one.error, kind: one.progress < 1 && one.status === 'running' ? 'learning' : 'train', chosen: one === own, title: `${one.title}: ${num(one.error)}, ${one.epochs} epochs` })) });
  Object.assign(host.dataset, { runs: learnt.length, error: own?.error ?? '', pca: at(own?.code ?? 0) ?? '' });
  $('.runs tbody').replaceChildren(...[...runs].sort((a, b) => a.code - b.code).map(one => {
    const row = tag('tr', one === own ? { class: 'own' } : {}), now = ['running', 'opening'].includes(one.status) || one.progress < 1;
    row.append(tag('td', {}, one.code), tag('td', {}, `${one === own ? 'this run' : one.title}, ${one.epochs} ${one.epochs === 1 ? 'epoch' : 'epochs'}${now ? `, ${Math.round(100 * one.progress)} %` : ''}`), tag('td', {}, num(one.error)), tag('td', {}, num(at(one.code))));
    return row;
  }));
  const button = $('[data-do=sizes]'), learns = runs.some(one => one.name !== room.name && ['running', 'opening'].includes(one.status));
  button.hidden = !missing.length && !learns;
  button.disabled = learns;
  put(button, learns ? 'Learning' : `Train ${missing.length} other ${missing.length === 1 ? 'size' : 'sizes'}`);
  put($('.zsub'), !pca.length ? 'PCA is being computed …' : missing.length ? `Sizes ${missing.join(', ')} are not there yet; each is trained for at most 20 epochs. PCA is fitted to the training images; the network can only beat it by being bent.` : 'PCA is fitted to the training images; a linear network can at best meet it, one that is bent can go below.');
  clearTimeout(room.polling);
  if (learns) room.polling = setTimeout(() => room.tab === 'undercomplete' && ask(room, 'sizes').then(now => room.tab === 'undercomplete' && drawSizes(room, now)).catch(() => {}), POLL);
}

async function trainSizes(room) {
  try { await ask(room, 'sizes/train', {}); } catch (error) { return trouble(room, error); }
  drawSizes(room, await ask(room, 'sizes'));
}
