// Pictures in: held-out images by thumbnails, uploads, drops; masks in and out, random ones; results out.
const THUMBS = 16, LARGEST = 30e6; // pictures in the strip; bytes the playground takes

function paintBring(room) {
  const { $, all } = room, file = $('.file'), maskfile = $('.maskfile'), shot = $('.shot');

  // A desk's picture becomes the one that is painted on; mask: what is hidden of it, in bits.
  room.open = async (facts, mask, before = null) => {
    const bitmap = await bitmapOf(facts.image), picture = new Picture(facts.width, facts.height, facts.channels === 3);
    picture.context.drawImage(bitmap, 0, 0, facts.width, facts.height);
    const tones = room.look(), ink = facts.data ? picture.onBlack() : facts.kind === 'drawing' && picture.onBlack();
    picture.theme(ink, [tones.low, tones.high]);
    const image = facts.image.startsWith('data:') ? facts.image : room.image;
    Object.assign(room, { facts, picture, noisy: null, made: {}, gap: null, image, cursor: null, before: null });
    room.hole = before ?? new Hole(facts.width, facts.height, mask ?? '');
    if (!mask && !before && room.way === 'fill' && facts.width * facts.height <= SMALL) firstHole(room.hole);
    room.view.reset(facts.width, facts.height);
    window.__apPaint = { desk: facts.desk, hole: room.hole };
    Object.assign(room.section.dataset, { status: 'ready', picture: facts.data ? `${facts.data} ${facts.index}` : facts.kind, desk: facts.desk });
    const span = Math.max(facts.width, facts.height); // the brush keeps its share of the picture
    if (room.span ? room.span !== span : !room.saved.size) room.size = Math.max(1, Math.round(room.span ? room.size * span / room.span : span / 8));
    room.span = span;
    $('.truth').hidden = facts.known;
    room.resize(0);
    select();
    room.told();
    room.measure();
    room.scores();
    room.draw();
    keep(room);
    await work(room);
  };

  // The same quarter for every picture, so that the page opens with a result.
  const firstHole = hole => {
    const at = (share, n) => Math.round(share * n);
    hole.change(() => hole.rectangle([at(.43, hole.w), at(.22, hole.h)], [at(.93, hole.w) - .5, at(.72, hole.h) - .5]));
    hole.past = [];
  };

  const bring = async (spec, blob = null, mask = null) => {
    const turn = room.bringing = {};
    room.say('');
    try {
      const same = mask === null && room.hole && !blob && room.facts?.data === spec.data ? room.hole : null;
      const facts = await putOnDesk(room, spec, blob, () => room.bringing === turn);
      if (!facts || room.bringing !== turn) return;
      room.say(facts.note ?? '');
      const held = same && same.w === facts.width && same.h === facts.height ? same : null; // the hole stays for the next picture
      await room.open(facts, mask, held);
      room.tell();
    } catch (error) { if (room.bringing === turn) room.trouble(error); }
  };
  room.bring = bring;

  const like = name => {
    const own = room.choice();
    return own?.data === name && own.use !== 'classical' ? own.name : room.data.datasets.find(one => one.name === name)?.like ?? '';
  };

  // The strip of thumbnails; it asks again while the images are being loaded.
  room.strip = async (start = room.start ?? 0) => {
    const name = $('.data').value, turn = room.stripping = {};
    room.start = start;
    let told;
    try {
      for (;;) {
        told = await (await answered(await reach(paintAddress('pictures', { data: name, like: like(name), start, count: THUMBS })))).json();
        if (room.stripping !== turn || !room.section.isConnected) return null;
        if (!told.waiting) break;
        $('.thumbs').replaceChildren(tag('span', { class: 'muted words' }, `${told.waiting}${told.fraction == null ? '' : `, ${Math.round(100 * told.fraction)} %`} …`));
        await new Promise(later => setTimeout(later, 400));
      }
    } catch (error) {
      if (room.stripping === turn) { $('.thumbs').replaceChildren(); room.trouble(error); }
      return null;
    }
    room.total = told.total;
    const tones = room.look(), buttons = await Promise.all(told.pictures.map(async one => {
      const words = `Held-out picture ${one.index}${one.label ? `, ${one.label}` : ''}`;
      const b = tag('button', { type: 'button', role: 'option', 'data-index': one.index, title: words, 'aria-label': words }), canvas = tag('canvas');
      const bitmap = await bitmapOf(one.image), picture = new Picture(bitmap.width, bitmap.height, told.shape[0] === 3);
      picture.context.drawImage(bitmap, 0, 0);
      sized(canvas, bitmap.width, bitmap.height);
      canvas.getContext('2d').drawImage(picture.theme(picture.onBlack(), [tones.low, tones.high]).canvas, 0, 0);
      b.append(canvas);
      b.onclick = () => bring({ data: name, index: one.index, like: like(name) });
      return b;
    }));
    if (room.stripping !== turn) return null;
    $('.thumbs').replaceChildren(...buttons);
    select();
    return told;
  };
  const select = () => {
    const { data, index } = room.facts ?? {};
    for (const b of all('.thumbs button')) b.setAttribute('aria-selected', data === $('.data').value && Number(b.dataset.index) === index);
  };

  $('.data').onchange = async () => {
    room.start = 0;
    room.suit($('.data').value);
    const told = await room.strip(0);
    if (told) await bring({ data: $('.data').value, index: 0, like: like($('.data').value) });
  };

  const another = async () => {
    const name = $('.data').value, index = Math.floor(Math.random() * (room.total ?? 1));
    await bring({ data: name, index, like: like(name) });
    if (![...all('.thumbs button')].some(b => Number(b.dataset.index) === index)) room.strip(index);
  };

  // A file or a photograph, as it is; the playground says what is wrong with it.
  const upload = async (blob, kind, name) => {
    if (!blob) return;
    if (blob.size > LARGEST) return room.trouble(new Error(`${name || 'This file'} is larger than ${LARGEST / 1e6} MB.`));
    if (blob.size < MOST_KEPT * .7) room.image = await new Promise(done => { const r = new FileReader(); r.onload = () => done(r.result); r.readAsDataURL(blob); });
    else room.image = '';
    room.file = await files.put(blob);
    await bring({ kind, name, shape: room.wanted?.() }, blob);
  };
  room.upload = upload;
  for (const [input, kind] of [[file, 'upload'], [shot, 'camera']]) input.onchange = async () => {
    const one = input.files[0];
    await upload(one, kind, one?.name);
    input.value = '';
  };
  room.section.ondragover = e => { e.preventDefault(); room.section.classList.add('drop'); };
  room.section.ondragleave = () => room.section.classList.remove('drop');
  room.section.ondrop = e => {
    e.preventDefault();
    room.section.classList.remove('drop');
    upload(e.dataTransfer.files[0], 'upload', e.dataTransfer.files[0]?.name);
  };

  // Masks ------------------------------------------------------------------------------------------------------------

  const hide = packed => {
    const began = performance.now(), { hole } = room;
    if (hole.change(() => hole.unpack(packed))) room.painted(began);
    room.draw();
  };
  maskfile.onchange = async () => {
    const one = maskfile.files[0];
    maskfile.value = '';
    if (!one) return;
    try {
      const told = await (await answered(await reach(desk(room, `mask?name=${encodeURIComponent(one.name)}`), post('', one)))).json();
      hide(told.mask);
      room.say(told.note);
    } catch (error) { room.trouble(error); }
  };
  for (const b of all('[data-mask]')) b.onclick = async () => {
    const { w, h } = room.hole, seed = Math.floor(Math.random() * 2 ** 31);
    try {
      const told = await (await answered(await reach(paintAddress(`mask/${b.dataset.mask}`, { width: w, height: h, seed })))).json();
      if (room.hole.w === w && room.hole.h === h) hide(told.mask);
    } catch (error) { room.trouble(error); }
  };

  const save = (url, name) => { const a = tag('a', { href: url, download: name }); a.click(); };
  const saveMask = () => room.hole.picture().toBlob(blob => {
    const url = URL.createObjectURL(blob);
    save(url, 'mask.png');
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
  const saveResult = () => {
    if (!room.made.model) return room.say('There is no result yet: paint something first.');
    save(desk(room, 'result.png?of=model'), room.way === 'noise' ? 'denoised.png' : 'inpainted.png');
  };
  Object.assign(room.acts, { another, upload: () => file.click(), maskup: () => maskfile.click(), maskdown: saveMask, save: saveResult });
}
