// What is asked of the playground: a desk for the picture, and results as they come.
const SLOW = 400; // ms until progress shows

const desk = (room, path = '') => new URL(`/paint/desk/${room.facts.desk}${path && '/' + path}`, document.baseURI);
const post = (address, body, type = 'application/octet-stream') => ({ method: 'POST', body, headers: { 'Content-Type': type } });

function paintAddress(path, query) {
  const url = new URL(`/paint/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(query)) if (value !== '' && value != null) url.searchParams.set(name, value);
  return url;
}

// A held-out picture {data, index, like}, or a blob that was brought as upload, drawing or camera; waits for its data.
async function putOnDesk(room, spec, blob = null, still = () => true) {
  const query = blob ? spec : { data: spec.data, index: spec.index, like: spec.like };
  for (;;) {
    const address = paintAddress('picture', { ...query, desk: room.facts?.desk ?? spec.desk });
    const told = await (await answered(await reach(address, post(address, blob)))).json();
    if (!told.waiting) return told;
    if (!still()) return null;
    const done = told.fraction == null ? '' : ` (${Math.round(100 * told.fraction)} %)`;
    room.say(`${told.waiting}${done} …`);
    await new Promise(later => setTimeout(later, 400));
  }
}

// All results for what is hidden now. A newer question ends an older one.
async function work(room, began = 0, again = true) {
  room.going?.abort();
  const going = room.going = new AbortController(), { hole, facts } = room, turn = ++room.turn, choice = room.choice();
  if (!facts || !choice) return;
  const question = {
    way: room.way, model: choice.name, use: choice.use, mask: hole.pack(), known: facts.known || room.compare, kind: room.kind, level: room.level, seed: room.seed,
  };
  Object.assign(room.section.dataset, { working: turn, hidden: hole.count });
  const since = performance.now(), fresh = new Set();
  try {
    const answer = await reachOr404(desk(room, 'restore'), { ...post('', JSON.stringify(question), 'application/json'), signal: going.signal });
    if (answer.status === 404 && again) return await recover(room, began);
    await answered(answer);
    for await (const line of lines(answer)) {
      if (room.turn !== turn) return;
      if (line.fraction != null) { if (performance.now() - since > SLOW && line.of === 'model') progress(room, line); continue; }
      if (line.of === 'model' || line.stopped) progress(room, null);
      if (line.problem) room.failed(line);
      if (line.stopped) { room.say('Stopped; the result before stays.'); break; }
      if (line.image == null) continue;
      await room.arrived(line, turn, fresh);
      if (line.of !== 'model' || room.turn !== turn) continue;
      if (began) requestAnimationFrame(() => { room.section.dataset.ms = performance.now() - began; (window.__paintMs ??= []).push(performance.now() - began); });
    }
  } catch (error) {
    if (error.name !== 'AbortError' && room.turn === turn) room.trouble(error);
  } finally {
    if (room.turn === turn) { progress(room, null); room.section.dataset.done = turn; }
  }
}

async function reachOr404(address, settings) {
  try { return await fetch(address, settings); } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Error('The playground does not answer: it may have been stopped. What you painted is kept in this tab.');
  }
}

// The server has cleared the desk, or is another one since: put the picture there again, with what is hidden.
async function recover(room, began) {
  const mask = room.hole.pack(), saved = kept.read();
  room.facts.desk = '';
  try {
    const told = await again(room, saved);
    if (!told) return room.trouble(new Error(LOST));
    room.facts.desk = told.desk;
    room.hole.unpack(mask);
    keep(room);
    await work(room, began, false);
  } catch (error) { room.trouble(error); }
}

async function* lines(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + value).split('\n');
    rest = parts.pop();
    for (const part of parts) if (part) yield JSON.parse(part);
  }
}

function progress(room, line) {
  const box = room.$('.progress');
  box.hidden = !line;
  if (!line) return;
  const share = Math.round(100 * line.fraction), left = line.left == null ? '' : `, about ${line.left < 1 ? 'a second' : `${Math.round(line.left)} s`} left`;
  put(room.$('.progress .words'), `Working: ${share} %${left}`);
  room.$('.progress b').style.width = `${share}%`;
}
