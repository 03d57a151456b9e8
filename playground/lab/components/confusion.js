// Which classes were taken for which; a cell opens its images. data: {model, classes, counts: [[n, ...], ...], cell,
// images: [{url, note}]}. A click becomes the component's `cell`, "row,column".
export default function ({ data, parentElement: root, setStateValue }) {
  const state = bus.once(root, () => ({}));
  const key = JSON.stringify([data.model, data.counts]);
  state.open = cell => setStateValue('cell', cell);
  if (state.key !== key) build(root, state, data);
  state.key = key;
  for (const button of root.querySelectorAll('td button')) {
    button.setAttribute('aria-pressed', button.dataset.cell === data.cell);
  }
  pictures(root, data);
}

function build(root, state, { classes, counts }) {
  const table = $(root, 'table'), head = tag('tr'), worst = Math.max(1, ...counts.flatMap((row, i) => row.filter((_, j) => i !== j)));
  head.append(tag('th', { 'aria-label': 'true class' }), ...classes.map(name => tag('th', { scope: 'col', title: name }, name)));
  const rows = counts.map((row, i) => {
    const line = tag('tr'), all = Math.max(1, row.reduce((a, b) => a + b, 0));
    line.append(tag('th', { scope: 'row', title: classes[i] }, classes[i]));
    row.forEach((n, j) => {
      const share = i === j ? n / all : Math.sqrt(n / worst) * .6, td = tag('td');
      const button = tag('button', {
        type: 'button', 'data-cell': `${i},${j}`, tabindex: i || j ? -1 : 0, title: `${classes[i]} taken for ${classes[j]}: ${count(n)} of ${count(all)}`,
        'aria-label': `${classes[i]} taken for ${classes[j]}: ${n}`, style: `--share:${share.toFixed(3)};--of:var(--ap-${i === j ? 'accent' : 'bad'})`,
        class: n ? i === j && share > .5 ? 'deep' : '' : 'none',
      }, n ? count(n) : '·');
      button.onclick = () => { tabTo(root, button); if (n) state.open(`${i},${j}`); };
      td.append(button);
      line.append(td);
    });
    return line;
  });
  const top = tag('thead'), body = tag('tbody');
  top.append(head);
  body.append(...rows);
  table.replaceChildren(top, body);
  table.onkeydown = e => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[e.key];
    const cell = e.target.closest('button')?.dataset.cell?.split(',').map(Number);
    if (!move || !cell) return;
    const next = root.querySelector(`[data-cell="${cell[0] + move[0]},${cell[1] + move[1]}"]`);
    if (!next) return;
    e.preventDefault();
    tabTo(root, next);
    next.focus();
  };
}

// One cell is in the order of Tab, the one that was last reached; the arrow keys go to the others.
function tabTo(root, button) {
  for (const one of root.querySelectorAll('td button')) one.tabIndex = one === button ? 0 : -1;
}

function pictures(root, { classes, cell, counts, images }) {
  const [i, j] = cell ? cell.split(',').map(Number) : [];
  put($(root, '.hint'), !cell ? 'Rows are the true classes, columns the answers. Click a cell to see its images.'
    : `${count(counts[i][j])} of class ${classes[i]} ${i === j ? 'named rightly' : `taken for ${classes[j]}`}, the surest first${images.length < counts[i][j] ? `; ${images.length} of them` : ''}.`);
  $(root, '.images').dataset.cell = cell ?? '';
  $(root, '.images').replaceChildren(...images.map(one => {
    const figure = tag('figure');
    figure.append(tag('img', { src: one.url, alt: `${classes[i]}, taken for ${classes[j]}` }), tag('figcaption', {}, one.note));
    return figure;
  }));
}
