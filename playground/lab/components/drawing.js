// A sheet to draw on; what is drawn becomes the component's `picture`, a PNG as a data URL. data: {ink}: light on dark.
export default function ({ data, parentElement: root, setStateValue }) {
  const room = bus.once(root, () => start(root, data.ink));
  room.ink = data.ink;
  room.tell = picture => setStateValue('picture', picture);
}

function start(root, ink) {
  const said = root.querySelector('.said');
  const say = text => { put(said, text); said.hidden = !text; };
  const room = { $: query => root.querySelector(query), ink, info: {}, post() {}, trouble: error => say(error.message) };
  makePad(room, picture => { say(''); room.tell(picture); });
  room.$('[data-do=clear]').onclick = () => { say(''); room.pad.wipe(); room.tell(''); };
  room.$('[data-do=camera]').onclick = () => room.pad.camera();
  onTheme(() => room.pad.theme());
  return room;
}
