// Draw, upload or photograph a picture: the encoder places it on the map, with its reconstruction and what is like it.
const PAPER = 184, SHARP = 2, STROKE = 15, PAUSE = 120; // pixels; per pixel; stroke width; ms after the pen

function makePad(room, placed = (...picture) => placePicture(room, ...picture)) {
  const { $ } = room, canvas = $('.pad'), video = $('.paper video'), file = $('.tools input'), c = canvas.getContext('2d');
  let last = null, drawn = false, due = 0, stream = null;
  Object.assign(canvas, { width: PAPER * SHARP, height: PAPER * SHARP });
  c.scale(SHARP, SHARP);

  // What is sent is black and white, as the data is; what is seen has the theme's colours.
  const sent = document.createElement('canvas'), s = sent.getContext('2d');
  Object.assign(sent, { width: PAPER, height: PAPER });
  const grounds = () => room.ink || !room.info ? ['#000', '#fff'] : ['#fff', '#000'];
  const wipe = () => {
    drawn = false;
    c.clearRect(0, 0, PAPER, PAPER);
    s.fillStyle = grounds()[0];
    s.fillRect(0, 0, PAPER, PAPER);
  };

  const stroke = (from, to) => {
    for (const [context, colour] of [[c, css(rgb(canvas.parentElement, 'high'))], [s, grounds()[1]]]) {
      Object.assign(context, { lineCap: 'round', lineJoin: 'round', lineWidth: STROKE, strokeStyle: colour });
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(to[0] + .01, to[1]);
      context.stroke();
    }
    drawn = true;
  };
  const send = () => {
    clearTimeout(due);
    due = setTimeout(() => drawn && placed(sent.toDataURL(), 'Your drawing', room.ink), PAUSE);
  };
  const at = e => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  canvas.onpointerdown = e => {
    canvas.setPointerCapture(e.pointerId);
    if (!drawn) wipe();
    clearTimeout(due);
    last = at(e);
    stroke(last, last);
  };
  canvas.onpointermove = e => {
    if (!last) return;
    for (const one of e.getCoalescedEvents?.().length ? e.getCoalescedEvents() : [e]) { stroke(last, at(one)); last = at(one); }
    room.post('place', async () => { if (last) await placed(sent.toDataURL(), 'Your drawing', room.ink, true); });
  };
  canvas.onpointerup = canvas.onpointercancel = () => { if (last) send(); last = null; };
  penKeys(canvas, PAPER, { begin: () => { if (!drawn) wipe(); clearTimeout(due); }, line: stroke, end: send });

  // A picture that was brought: shown on the paper whole, sent as it is unless it is very large.
  const bring = async (source, words) => {
    let bitmap;
    try { bitmap = await createImageBitmap(source); } catch { return room.trouble(new Error('This file is not a picture that can be read.')); }
    const side = Math.min(bitmap.width, bitmap.height), most = Math.min(1, 1024 / side), big = document.createElement('canvas');
    sized(big, Math.round(bitmap.width * most), Math.round(bitmap.height * most));
    big.getContext('2d').drawImage(bitmap, 0, 0, big.width, big.height);
    drawn = false;
    c.clearRect(0, 0, PAPER, PAPER);
    c.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, PAPER, PAPER);
    await placed(big.toDataURL(), words, false);
  };

  const dark = () => {
    stream?.getTracks().forEach(track => track.stop());
    stream = null;
    video.hidden = true;
    put($('[data-do=camera]'), 'Camera');
  };
  const camera = async () => {
    if (stream) {
      const frame = document.createElement('canvas'), side = Math.min(video.videoWidth, video.videoHeight);
      sized(frame, side, side);
      frame.getContext('2d').drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, side, side);
      dark();
      return bring(frame, 'Your photograph');
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      video.srcObject = stream;
      await video.play();
      video.hidden = false;
      put($('[data-do=camera]'), 'Take it');
    } catch {
      dark();
      room.trouble(new Error('There is no camera that this page may use; upload a picture instead.'));
    }
  };

  file.onchange = () => { if (file.files[0]) bring(file.files[0], 'Your picture'); file.value = ''; };
  canvas.ondragover = e => e.preventDefault();
  canvas.ondrop = e => { e.preventDefault(); if (e.dataTransfer.files[0]) bring(e.dataTransfer.files[0], 'Your picture'); };
  wipe();
  // What was drawn takes the theme's colour; a picture that was brought keeps its own.
  const theme = () => {
    if (!drawn) return;
    c.globalCompositeOperation = 'source-in';
    c.fillStyle = css(rgb(canvas.parentElement, 'high'));
    c.fillRect(0, 0, PAPER, PAPER);
    c.globalCompositeOperation = 'source-over';
  };
  room.pad = { wipe, theme, upload: () => file.click(), camera, wake() { if (!drawn) wipe(); }, sleep: dark };
}

// Where the encoder puts a picture; moving: while it is still being drawn, so only what follows the pen.
async function placePicture(room, image, words, centre, moving = false) {
  const { $, map, info } = room, hero = $('.hero'), mine = ++room.turn;
  if (!info || map.live || room.plane) return room.plane && room.trouble(new Error('This model was trained on points, so a picture has no place here.'));
  let told;
  try { told = await (await room.ask.post('place', { image, centre })).json(); } catch (error) { return room.trouble(error); }
  const [output, input] = await Promise.all([told.reconstruction, told.input].map(url => strip(url, null, room.ink, room.look)));
  if (mine !== room.turn) return;
  $('.latent').classList.remove('walking');
  show(room, hero, output);
  const own = majority(room, told.neighbours_code);
  Object.assign(hero.dataset, { source: 'own', index: '', distance: '', nearest: info.has_labels ? info.classes[own] : '' });
  Object.assign($('.host').dataset, { placed: `${told.x.toFixed(4)},${told.y.toFixed(4)}` });
  put($('.title'), words);
  put($('.chip'), told.negative ? 'reconstruction, as a negative' : 'reconstruction');
  map.chosen = { x: told.x, y: told.y, index: -1, landed: null };
  map.over();
  if (moving) return;
  map.reveal(told.x, told.y);
  room.place = null;
  room.again = () => placePicture(room, image, words, centre);
  steeredFrom(room, told.code);
  facts(room, [['Reconstruction', `${told.psnr.toFixed(1)} dB`, 'PSNR'], ...(info.has_labels ? [['Class by its neighbours', info.classes[own], votes(room, told.neighbours_code, own)]] : [])]);
  ends(room, { image, centre, place: [told.x, told.y], sheet: input });
  const rows = rate => [['by code', told.neighbours_code, rate('code'), own], ['by pixels', told.neighbours_pixels, rate('pixels'), own]];
  nearRows(room, 'Nearest images', rows(() => ''));
  const scores = await loadScores(room), rate = name => scores?.rows[name].precision;
  if (mine !== room.turn || rate('code') == null) return;
  const note = tag('p', { class: 'muted hits' }, `Of the ten found, this share is of the right class over the held-out set: ${percent(rate('code'))} by code, ${percent(rate('pixels'))} by pixels.`);
  $('.near').append(note);
}

const percent = v => v == null ? '–' : `${(100 * v).toFixed(1)} %`;
