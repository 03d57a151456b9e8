// All that is drawn: the picture with its hole, results with the hole's rim, the difference, figures.
const NAMED = { model: 'Model', telea: 'Telea', biharmonic: 'Biharmonic' };

function paintShow(room) {
  const { $, all } = room, colour = name => getComputedStyle(room.probe).getPropertyValue(name);
  const tone = name => { room.probe.style.color = `var(${name})`; return getComputedStyle(room.probe).color; };
  const look = () => {
    const tones = { rim: tone('--rim'), fill: tone('--fill'), hatch: tone('--hatch') };
    room.tones = { ...tones, pattern: hatch([tones.fill, tones.hatch], devicePixelRatio || 1), low: rgb(room.section, 'low'), high: rgb(room.section, 'high') };
    room.ends = [rgb(room.section, 'neg'), rgb(room.section, 'zero'), rgb(room.section, 'pos')];
  };

  // The rim; on photographs, which may be as dark as it is, with a bright seam.
  const edge = (c, place, w, h, thick) => {
    if (!room.picture.ink) rim(c, room.hole, place, w, h, 'rgb(255 255 255 / .6)', 2 * thick);
    rim(c, room.hole, place, w, h, room.tones.rim, thick);
  };

  const main = () => {
    const got = screen($('.f1 .main'));
    if (!got) return;
    const [c, w, h, d] = got, place = room.view.place(w, h), noise = room.way === 'noise';
    const picture = noise && !room.held && !room.painting && room.noisy ? room.noisy : room.picture;
    lay(c, picture.canvas, place, picture.smooth || place[2] < 1);
    if (room.held) return;
    if (room.hole.count || room.painting || room.pressed) {
      const [fill] = shape(room.hole, place, w, h, room.tones.pattern, 1);
      c.globalAlpha = noise ? room.painting ? .45 : 0 : 1; // a hole is opaque: nobody may peek
      if (c.globalAlpha) c.drawImage(fill, 0, 0);
      c.globalAlpha = 1;
      edge(c, place, w, h, Math.max(1, Math.round(1.25 * d)));
    }
    if (room.rectangle) {
      const [a, b] = room.rectangle, box = room.hole.within(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1]));
      if (!box) return;
      c.fillStyle = room.tones.pattern;
      c.strokeStyle = room.tones.rim;
      c.lineWidth = 1.5 * d;
      const where = [place[0] + box[0] * place[2], place[1] + box[1] * place[2], box[2] * place[2], box[3] * place[2]];
      c.fillRect(...where);
      c.strokeRect(...where);
    }
  };

  const results = () => {
    for (const canvas of all('[data-of]')) {
      const made = room.made[canvas.dataset.of];
      const got = screen(canvas);
      if (!got) continue;
      const [c, w, h, d] = got, place = room.view.place(w, h), picture = made?.picture ?? room.picture;
      lay(c, picture.canvas, place, picture.smooth || place[2] < 1);
      if (!made && room.way === 'fill') c.drawImage(shape(room.hole, place, w, h, room.tones.pattern, 1)[0], 0, 0); // still to come
      if (!room.held) edge(c, place, w, h, Math.max(1, Math.round(d)));
    }
    const got = screen($('.diff')), found = room.gap;
    if (!got) return;
    const [c, w, h, d] = got, place = room.view.place(w, h), [x, y] = found?.box ?? [0, 0];
    c.fillStyle = css(room.ends[1]);
    c.fillRect(0, 0, w, h);
    if (found) lay(c, found.canvas, [place[0] + x * place[2], place[1] + y * place[2], place[2]], room.picture.smooth || place[2] < 1);
    if (room.hole.count) rim(c, room.hole, place, w, h, room.tones.rim, Math.max(1, Math.round(d)));
  };

  room.draw = framed(() => {
    if (!room.picture || !room.hole || !room.section.isConnected) return;
    if (!room.tones) look();
    main();
    if (!room.painting && !room.pressed) results(); // while a stroke is drawn only the picture under it changes
    const n = room.hole.count, share = 100 * n / room.hole.bytes.length;
    const words = share >= 1 || !n ? `${Math.round(share)} %` : 'below 1 %';
    put($('.hidden-px'), room.way === 'noise' ? n ? `${words} noisy` : 'noise everywhere: paint to choose where' : n ? `${words} hidden` : 'paint, or take a random mask');
    Object.assign($('.f1 .main').dataset, { hidden: n, tool: room.tool, zoom: room.view.zoom.toFixed(2) });
    $('[data-do=undo]').disabled = !room.hole.past.length;
    $('[data-do=redo]').disabled = !room.hole.future.length;
    $('[data-do=clear]').disabled = !n;
    $('.zoom').classList.toggle('on', room.view.zoom > 1 || room.picture.smooth);
    $('[data-do=fit]').disabled = $('[data-do=out]').disabled = room.view.zoom === 1;
  });

  room.measure = () => {
    const made = room.made[room.shown] ?? room.made.model;
    room.gap = made && made.box[2] ? difference(made.picture, room.picture, made.box, room.ends ?? (look(), room.ends)) : null;
    const end = room.gap?.range ?? 1;
    const [more, less] = room.picture?.ink ? ['too much ink', 'too little ink'] : ['too bright', 'too dark'];
    put($('.scale .top'), `+${end} ${more}`);
    put($('.scale .bottom'), `−${end} ${less}`);
    $('.diff').dataset.range = end;
    $('.diff').setAttribute('aria-label', `Difference of ${NAMED[room.shown]} to the original, from −${end} (${less}) to +${end} (${more})`);
  };

  // A result's part has come: put it into the picture, and say how good it is.
  room.arrived = async (line, turn) => {
    const bitmap = line.image ? await bitmapOf(line.image) : null;
    if (room.turn !== turn) return;
    const picture = room.picture.with(bitmap, line.left, line.top);
    if (!room.tones) look();
    picture.theme(room.picture.ink, [room.tones.low, room.tones.high]);
    if (line.of === 'noisy') { Object.assign(room, { noisy: picture, before: line.psnr }); return room.draw(); }
    room.made[line.of] = { picture, box: [line.left, line.top, line.width, line.height], ...line, image: null, failed: '' };
    if (line.of === room.shown || (line.of === 'model' && room.way === 'noise')) room.measure();
    scores();
    Object.assign($(`[data-of=${line.of}]`).dataset, { turn, psnr: line.psnr ?? '', ssim: line.ssim ?? '' });
    room.draw();
  };

  room.failed = line => {
    if (line.of === 'model') room.trouble(new Error(line.problem));
    else if (room.made[line.of]) room.made[line.of].psnr = room.made[line.of].ssim = null;
  };

  const scores = () => {
    const noise = room.way === 'noise', shown = Object.entries(room.made).filter(([of]) => !noise || of === 'model');
    const best = shown.length > 1 ? Math.max(...shown.map(([, one]) => one.psnr ?? -1)) : Infinity;
    for (const of of Object.keys(NAMED)) {
      const line = $(`[data-score=${of}]`), one = room.made[of];
      line.replaceChildren();
      if (!one) continue;
      const where = noise ? room.hole.count ? 'where noise was painted' : 'of the whole picture' : 'inside the hole';
      if (one.psnr == null) {
        line.append(of === 'model' ? room.hole.count || noise ? 'the original is not known: nothing to compare with' : 'nothing is hidden' : '–');
        continue;
      }
      line.append(tag('b', {}, `${one.psnr.toFixed(1)} dB`), tag('span', {}, of === 'model' ? `PSNR ${where}` : 'PSNR'));
      if (noise && room.before != null) line.append(tag('span', {}, `(before: ${room.before.toFixed(1)} dB)`));
      if (one.ssim != null) line.append(tag('span', {}, `SSIM ${one.ssim.toFixed(2)}`));
      if (one.psnr >= best) line.append(tag('span', { class: 'win' }, 'best'));
    }
    put($('.note'), room.made.model?.note ?? '');
  };
  room.scores = scores;

  room.recolour = () => {
    room.tones = null;
    if (!room.picture) return;
    look();
    for (const one of [room.picture, room.noisy, ...Object.values(room.made).map(made => made.picture)]) one?.theme(room.picture.ink, [room.tones.low, room.tones.high]);
    room.measure();
    room.strip();
    room.draw();
  };
  onTheme(() => room.section.isConnected && room.recolour());
  new ResizeObserver(() => room.draw()).observe($('.f1 .stage'));
  room.look = () => { if (!room.tones) look(); return room.tones; };
}
