// Accuracy by labels. data: {drawn}: the page's own SVG and table as HTML, put here since st.html leaves no SVG standing.
export default function ({ data, parentElement: root }) {
  const box = $(root, '.ap');
  if (box.drawn !== data.drawn) box.innerHTML = box.drawn = data.drawn;
}
