// Watch it form: while the run learns, the codes of its held-out images move; afterwards a slider goes back over it.
const MOST_FRAMES = 240, FRAME_PACE = 90; // frames kept; ms between them when they are played
const kept = (window.__apLatentFrames ??= new Map()); // job -> [{step, places}]: what this page saw, else the run's film

// Places of a look at the run, brought into about [-1, 1]²; the frame follows slowly, so that nothing jumps.
function framedView(room, view) {
  const n = view.codes.length / 2, raw = Float32Array.from(view.codes, v => v / 32000 * view.reach), f = room.frame;
  const middle = k => {
    const v = Float32Array.from({ length: n }, (_, i) => raw[2 * i + k]).sort();
    return [v[Math.floor(n * .015)], v[Math.min(n - 1, Math.floor(n * .985))]];
  };
  const [[x0, x1], [y0, y1]] = [middle(0), middle(1)], now = { x: (x0 + x1) / 2, y: (y0 + y1) / 2, half: Math.max(x1 - x0, y1 - y0, 1e-9) / 2 };
  const soft = f && f.name === room.name ? .25 : 1;
  room.frame = { name: room.name };
  for (const k of ['x', 'y', 'half']) room.frame[k] = soft === 1 ? now[k] : f[k] + (now[k] - f[k]) * soft;
  for (let i = 0; i < n; i++) for (const k of [0, 1]) raw[2 * i + k] = (raw[2 * i + k] - (k ? room.frame.y : room.frame.x)) / room.frame.half;
  return raw;
}

function record(name, step, places) {
  const frames = kept.get(name) ?? [];
  while (frames.length && frames.at(-1).step >= step) frames.pop();
  frames.push({ step, places });
  if (frames.length > MOST_FRAMES) for (let i = frames.length - 2; i > 0; i -= 2) frames.splice(i, 1);
  kept.set(name, frames);
}

function hear(room, run) {
  if (run.job !== room.name || !room.info) return;
  const { $, map } = room, running = run.status === 'running';
  if (run.view && run.view.step !== room.seen) {
    room.seen = run.view.step;
    room.places = framedView(room, run.view);
    record(room.name, run.view.step, room.places);
  }
  runButtons(room, run);
  if (running) {
    if (!room.learning) startLive(room);
    if (room.places && room.places.length / 2 <= room.info.m) map.follow(room.places);
    $('.host').dataset.step = run.step;
    const of = run.steps ? ` of ${count(run.steps)}` : '';
    const words = `Training, step ${count(run.step)}${of}: ${map.n} held-out codes, ${room.info.k > 2 ? 'principal plane' : 'as they are'}`;
    return room.say(words, { fraction: run.steps ? run.step / run.steps : null });
  }
  if (room.learning || (run.step !== undefined && room.info.step !== null && run.step !== room.info.step)) {
    room.learning = false;
    clearTimeout(room.reload);
    room.reload = setTimeout(() => load(room), 250);
  }
}

function startLive(room) {
  room.learning = true;
  room.cancelFit();
  room.turn++;
  room.post('decode', async () => {});
  play(room, false);
  room.status('live');
  room.$('.latent').classList.remove('walking');
  room.$('.latent').classList.add('learning');
  room.tellHow();
}

function runButtons(room, run) {
  const button = room.$('.run'), does = { running: ['Pause', 'pause'], paused: ['Resume', 'train'], stopped: ['Resume', 'train'] }[run.status];
  button.hidden = !does || !room.data.own;
  if (!does) return;
  put(button, does[0]);
  button.onclick = () => room.act({ do: does[1] });
}

// Afterwards ---------------------------------------------------------------------------------------------------------

async function offerHistory(room) {
  await fetchHistory(room);
  room.$('[data-do=form]').hidden = (kept.get(room.name) ?? []).length < 2;
}

async function fetchHistory(room) {
  const { name, ask, info } = room, told = await ask.json('history').catch(() => null);
  if (!(told?.steps.length > 1) || told.m > info.m) return; // another model may be loading by now
  const film = await ask.arrays('history.bin').catch(() => null);
  if (!film) return;
  const frames = [...film.steps].map((step, i) => ({ step, places: film.places.subarray(2 * told.m * i, 2 * told.m * (i + 1)) }));
  kept.set(name, frames);
}

function form(room, on) {
  const { $, map } = room, frames = kept.get(room.name) ?? [], slider = $('.scrub input');
  $('[data-do=form]').setAttribute('aria-pressed', on);
  $('.scrub').hidden = !on;
  $('.legend').hidden = $('.how').hidden = on;
  playForm(room, false);
  if (!on) return room.home && map.show(room.home.key, room.home.places);
  play(room, false);
  slider.max = frames.length - 1;
  slider.oninput = () => { playForm(room, false); frame(room, Number(slider.value)); };
  frame(room, 0);
  playForm(room, true);
}

function frame(room, i) {
  const frames = kept.get(room.name), { $ } = room, one = frames[i];
  $('.scrub input').value = i;
  $('.scrub input').setAttribute('aria-valuetext', `step ${one.step}`);
  put($('.scrub output'), `step ${count(one.step)}`);
  Object.assign($('.host').dataset, { step: one.step, frames: frames.length });
  room.map.follow(one.places);
}

function playForm(room, on) {
  clearInterval(room.film);
  room.film = 0;
  put(room.$('[data-do=play] .ic'), on ? 'pause' : 'play_arrow');
  room.$('[data-do=play]').setAttribute('aria-label', on ? 'Hold' : 'Play');
  if (!on) return;
  const slider = room.$('.scrub input');
  if (slider.value === slider.max) slider.value = 0;
  room.film = setInterval(() => {
    const next = Number(slider.value) + 1;
    next > Number(slider.max) ? playForm(room, false) : frame(room, next);
  }, FRAME_PACE);
}
