// Draws one of the project's own components inside a gr.HTML, in a shadow tree of its own that no update of the page
// replaces. value: what the component is told, as JSON; an empty one hides it. Which model the component shows, where it
// has a choice, is its own affair; what else it triggers goes out as the event 'act'.
const box = element.querySelector('.ap-piece'), root = box.attachShadow({ mode: 'open' });
import(new URL(`/pieces/${box.dataset.piece}.js`, document.baseURI)).then(({ default: draw, html, css }) => {
  let chosen = '', data = null;
  root.innerHTML = `<style>${css}</style><div><div>${html}</div></div>`; // as deep as in the Lab, which its styles count on
  const show = () => {
    const name = data.choices?.some(one => one.name === chosen) ? chosen : data.name;
    draw({ data: { ...data, name }, parentElement: root.lastElementChild.firstElementChild, setTriggerValue: act });
  };
  const act = (name, value) => {
    if (value?.do !== 'choose') return trigger('act', { name, value });
    chosen = value.name;
    show();
  };
  const tell = () => {
    data = JSON.parse(props.value || 'null');
    box.hidden = !data;
    if (data) show();
  };
  tell();
  watch('value', tell);
});
