// Draws one of the project's own components inside a gr.HTML, in a shadow tree of its own that no update of the page
// replaces. value: what the component is told, as JSON; an empty one leaves the place as it is. What the component
// triggers goes out as the event 'act'.
const box = element.querySelector('.ap-piece'), root = box.attachShadow({ mode: 'open' });
import(new URL(`/pieces/${box.dataset.piece}.js`, document.baseURI)).then(({ default: draw, html, css }) => {
  root.innerHTML = `<style>${css}</style><div>${html}</div>`;
  const tell = () => {
    const data = JSON.parse(props.value || 'null');
    box.hidden = !data;
    if (!data) return;
    const act = (name, value) => {
      if (value?.do === 'choose' && data.choices) tellAs({ ...data, name: value.name });
      else trigger('act', { name, value });
    };
    const tellAs = now => draw({ data: now, parentElement: root.lastElementChild, setTriggerValue: act });
    tellAs(data);
  };
  tell();
  watch('value', tell);
});
