// Drawing on a sheet by keys: arrows move the pen (with Shift further), Space draws while it is held, Enter sets the pen
// down and lifts it. side: the sheet's side in the units of line(from, to); begin and end: a stroke's.
const PEN_MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function penKeys(pad, side, { begin = () => {}, line, end = () => {} }) {
  const pen = tag('i', { class: 'nib', 'aria-hidden': 'true', hidden: '' });
  let at = [side / 2, side / 2], down = false;
  pad.after(pen);
  const show = () => {
    pen.hidden = false;
    pen.classList.toggle('down', down);
    pen.style.left = `${pad.offsetLeft + pad.offsetWidth * at[0] / side}px`;
    pen.style.top = `${pad.offsetTop + pad.offsetHeight * at[1] / side}px`;
  };
  const press = () => {
    if (down) return;
    down = true;
    begin();
    line(at, at);
  };
  const lift = () => {
    if (!down) return;
    down = false;
    end();
  };
  const move = ([dx, dy], far) => {
    const from = at;
    at = [clamp(from[0] + dx * far, 0, side), clamp(from[1] + dy * far, 0, side)];
    if (down) line(from, at);
  };
  pad.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (PEN_MOVES[e.key]) move(PEN_MOVES[e.key], side / (e.shiftKey ? 8 : 40));
    else if (e.key === ' ') press();
    else if (e.key === 'Enter') { if (down) lift(); else press(); }
    else return;
    e.preventDefault();
    e.stopPropagation();
    show();
  });
  pad.addEventListener('keyup', e => { if (e.key === ' ') { lift(); show(); } });
  pad.addEventListener('focus', () => { if (pad.matches(':focus-visible')) show(); });
  pad.addEventListener('blur', () => { lift(); pen.hidden = true; });
}
