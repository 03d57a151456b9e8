// A picture of one's own: drawn on the sheet over the picture, or taken by the camera.
const DRAWN = 280, PEN = 22, REFUSED = 'This page may not use a camera, so choose a photograph instead.';

function paintPad(room) {
  const { $ } = room, sheet = $('.sheet'), pad = $('.pad'), video = $('.sheet video'), take = $('[data-do=take]');
  let stream = null, last = null, drawn = false, opener = null;
  const c = pad.getContext('2d');

  // Drawn as large as the model's images are, white on black as handwriting is, or dark on white for a model of colours.
  room.wanted = () => (room.choice()?.shape?.length ? room.choice().shape : [1, 28, 28]).join(',');
  const dark = () => room.wanted().startsWith('1,');
  const wipe = () => {
    sized(pad, DRAWN, DRAWN);
    c.fillStyle = dark() ? '#000' : '#fff';
    c.fillRect(0, 0, DRAWN, DRAWN);
    drawn = false;
    take.disabled = true;
  };
  const at = e => { const box = pad.getBoundingClientRect(); return [(e.clientX - box.left) * DRAWN / box.width, (e.clientY - box.top) * DRAWN / box.height]; };
  const line = (from, to) => {
    Object.assign(c, { lineCap: 'round', lineJoin: 'round', lineWidth: PEN, strokeStyle: dark() ? '#fff' : '#000' });
    c.beginPath();
    c.moveTo(...from);
    c.lineTo(to[0] + .01, to[1]);
    c.stroke();
    drawn = true;
    take.disabled = false;
  };
  pad.onpointerdown = e => { if (!e.isPrimary) return; pad.setPointerCapture(e.pointerId); last = at(e); line(last, last); };
  pad.onpointermove = e => {
    if (!last) return;
    for (const one of e.getCoalescedEvents?.().length ? e.getCoalescedEvents() : [e]) { line(last, at(one)); last = at(one); }
  };
  pad.onpointerup = pad.onpointercancel = () => { last = null; };
  penKeys(pad, DRAWN, { line });

  const leave = () => {
    const within = sheet.contains(sheet.getRootNode().activeElement);
    stream?.getTracks().forEach(track => track.stop());
    stream = null;
    video.srcObject = null;
    sheet.hidden = true;
    if (within) opener?.focus();
  };
  sheet.onkeydown = e => { if (e.key === 'Escape') leave(); };
  const show = camera => {
    sheet.hidden = false;
    pad.hidden = camera;
    video.hidden = !camera;
    $('[data-do=wipe]').hidden = camera;
    put(take, camera ? 'Take it' : 'Use this drawing');
  };
  const draw = () => { leave(); wipe(); show(false); opener = $('[data-do=draw]'); pad.focus(); };

  const camera = async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } } });
      video.srcObject = stream;
      await video.play();
      show(true);
      take.disabled = false;
      opener = $('[data-do=camera]');
      take.focus();
    } catch { // refused, none there, or the page is not served securely: the device's own camera or its files
      leave();
      room.trouble(new Error(REFUSED), { verb: 'Choose', act: () => $('.shot').click() });
      $('.shot').click();
    }
  };
  const used = () => {
    const camera = !video.hidden, frame = document.createElement('canvas');
    if (!camera && !drawn) return;
    if (camera) {
      sized(frame, video.videoWidth, video.videoHeight);
      frame.getContext('2d').drawImage(video, 0, 0);
    }
    (camera ? frame : pad).toBlob(async blob => {
      leave();
      await room.upload(blob, camera ? 'camera' : 'drawing', camera ? 'The photograph' : 'The drawing');
    }, 'image/png');
  };
  Object.assign(room.acts, { draw, camera, wipe, leave, take: used });
  room.leaveSheet = leave;
}
