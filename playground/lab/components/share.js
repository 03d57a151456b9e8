// A link to give away. data: {link, caption, svg, png}, the pictures as data addresses; empty where no code holds it.
export default function ({ data, parentElement: root }) {
  const state = bus.once(root, () => {
    const made = { text: $(root, 'textarea'), said: $(root, '.said'), code: $(root, '.code') };
    // Browsers hand the clipboard to pages behind TLS or on this machine only; elsewhere the old way still works.
    const copy = async text => {
      try { await navigator.clipboard.writeText(text); return true; } catch {
        const pad = document.body.appendChild(tag('textarea', { 'aria-hidden': 'true', style: 'position:fixed;opacity:0' }));
        pad.value = text;
        pad.select();
        const done = document.execCommand('copy');
        pad.remove();
        return done;
      }
    };
    $(root, '.copy').onclick = async () => {
      const done = await copy(made.text.value);
      put(made.said, done ? 'Copied' : 'Press Ctrl-C');
      if (!done) made.text.select();
      setTimeout(() => put(made.said, ''), 4000);
    };
    $(root, '.full').onclick = () => made.code.requestFullscreen?.();
    made.text.onfocus = () => made.text.select();
    return made;
  });
  if (state.text.value !== data.link) state.text.value = data.link;
  $(root, '.ap').dataset.link = data.link;
  $(root, '.open').href = data.link;
  $(root, 'img').src = data.png;
  put($(root, 'figcaption'), data.caption);
  for (const kind of ['svg', 'png']) {
    const saved = $(root, `a.${kind}`);
    saved.href = data[kind];
    saved.hidden = !data[kind];
  }
  state.code.hidden = $(root, '.full').hidden = !data.png;
}
