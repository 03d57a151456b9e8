// A picture, and beside it the same under the colours of its pixels' classes. data: {picture, layers: [{name, url, note}],
// heads: [text], rows: [{name, colour, cells: [text], mean}]}. The opacity acts here; nothing is asked of the server.
export default function ({ data, parentElement: root }) {
  show(bus.once(root, start), data);
}

function start(root) {
  const box = $(root, '.ap'), slider = $(root, 'input'), s = { root, box, slider };
  slider.oninput = () => lay(s);
  lay(s);
  return s;
}

function lay(s) {
  s.box.style.setProperty('--opacity', s.slider.value / 100);
  put($(s.root, 'output'), `${s.slider.value} %`);
}

function show(s, data) {
  const key = JSON.stringify(data);
  if (key === s.key) return;
  s.key = key;
  $(s.root, '.grid').replaceChildren(...[{ name: 'Picture' }, ...data.layers].map(layer => {
    const figure = tag('figure', { 'data-picture': layer.name }), frame = tag('div', { class: 'frame' });
    const image = tag('img', { src: data.picture, alt: layer.url ? '' : 'Picture', draggable: 'false' });
    image.onload = () => image.classList.toggle('small', image.naturalWidth < 200);
    frame.append(image);
    if (layer.url) frame.append(tag('img', { src: layer.url, alt: `${layer.name}: every pixel in the colour of its class`, class: 'layer', draggable: 'false' }));
    const caption = tag('figcaption');
    caption.append(tag('b', {}, layer.name), tag('span', {}, layer.note ?? ''));
    figure.append(frame, caption);
    return figure;
  }));
  $(s.root, 'thead tr').replaceChildren(...['Class', ...data.heads].map(text => tag('th', { scope: 'col' }, text)));
  $(s.root, 'tbody').replaceChildren(...data.rows.map(row => {
    const line = tag('tr', { class: row.colour ? '' : 'mean', 'data-class': row.name }), name = tag('th', { scope: 'row' });
    if (row.colour) { const swatch = tag('i'); swatch.style.background = row.colour; name.append(swatch); }
    name.append(row.name);
    line.append(name, ...row.cells.map(text => tag('td', {}, text)));
    return line;
  }));
}
