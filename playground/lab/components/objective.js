// The objective as a formula, each term over its present value in its curve's colour. data: {job, terms: [{name, math, words}]}.
// Where its place is no higher than one line, a long one is made smaller, down to SMALLEST, and then scrolls.
const SMALLEST = .6;

export default function ({ data, parentElement: root }) {
  const state = bus.once(root, start);
  const key = JSON.stringify(data.terms);
  if (state.key !== key) {
    build(root, data.terms);
    state.fit();
  }
  state.key = key;
  state.terms = data.terms;
  bus.follow(data.job);
  if (bus.run) fill(root, state, bus.run);
}

function start(root) {
  const s = { terms: [], fit: framed(() => fit(root)) };
  new ResizeObserver(s.fit).observe($(root, '.ap'));
  bus.listen($(root, '.ap'), run => fill(root, s, run));
  return s;
}

function build(root, terms) {
  const box = $(root, '.formula');
  const term = (kind, math, words) => {
    const element = tag('div', { class: 'term ' + kind });
    const box = element.appendChild(tag('div', { class: 'math' }));
    box.innerHTML = math;  // MathML made from the project's own formulas
    element.append(tag('span', { class: 'value' }, '–'), tag('span', { class: 'words' }, words));
    return element;
  };
  box.replaceChildren(term('all', '<math display="block"><mi>L</mi></math>', 'objective'));
  terms.forEach((t, i) => {
    box.append(tag('span', { class: 'op' }, i ? '+' : '='), term(i ? 'pen' : 'train', t.math, t.words));
  });
}

function fit(root) {
  const place = $(root, '.ap'), box = $(root, '.formula');
  box.classList.remove('line');
  box.style.zoom = '';
  if (box.scrollHeight <= place.clientHeight + 1) return;
  box.classList.add('line');
  box.style.zoom = Math.max(SMALLEST, Math.min(1, place.clientWidth / box.scrollWidth));
}

function fill(root, s, run) {
  const values = [...root.querySelectorAll('.value')];
  const terms = s.terms.map(t => run.terms[run.term_names.indexOf(t.name)]);
  put(values[0], num(terms.reduce((a, b) => a + b, 0)));
  terms.forEach((v, i) => put(values[i + 1], num(v)));
}
