// Images to choose one of. data: {name, images: [{number, url, label}], chosen}; the trigger says {number}.
export default function ({ data, parentElement: root, setTriggerValue }) {
  const state = bus.once(root, () => ({ box: $(root, '.strip') })), { box } = state;
  state.choose = number => setTriggerValue('act', { number, at: Date.now() });
  const key = JSON.stringify([data.name, data.images.map(one => [one.number, one.label, one.url.slice(-60)])]);
  if (key !== state.key) {
    state.key = key;
    box.setAttribute('aria-label', data.name);
    box.replaceChildren(...data.images.map(one => {
      const label = tag('label', { title: one.label });
      const input = tag('input', { type: 'radio', name: 'strip', value: one.number, 'aria-label': `Image ${one.number}${one.label && `, ${one.label}`}` });
      input.onchange = () => state.choose(one.number);
      label.append(input, tag('img', { src: one.url, alt: '', draggable: 'false' }));
      return label;
    }));
  }
  for (const input of box.querySelectorAll('input')) input.checked = +input.value === data.chosen;
}
