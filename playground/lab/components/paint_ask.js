// What is asked of the playground: a desk for the picture, results as they come; and what this tab keeps of it all.
const KEPT = 'playground.paint', MOST_KEPT = 1.5e6, SLOW = 400; // characters of what a tab keeps; ms until progress shows

const kept = {
  read() { try { return JSON.parse(sessionStorage.getItem(KEPT)) ?? {}; } catch { return {}; } },
  write(value) {
    for (const drop of [[], ['image'], ['image', 'mask']]) { // what does not fit stays on the server alone
      const { ...some } = value;
      for (const name of drop) delete some[name];
      try { sessionStorage.setItem(KEPT, JSON.stringify(some)); return; } catch { /* full, or not allowed */ }
    }
  },
};

// What a reload needs: the desk, where its picture is from, the mask, and how the controls stand.
function keep(room) {
  const { facts, hole, tool, size, way, model, kind, level, seed, shown, image, compare } = room;
  if (!facts) return;
  const mask = hole.bytes.length / 6 < MOST_KEPT ? hole.pack() : undefined;
  kept.write({
    desk: facts.desk, spec: facts.data ? { data: facts.data, index: facts.index, like: facts.like } : null, mask, tool, size, way,
    model, chosen: room.chosen, kind, level, seed, shown, compare, image: !facts.data && image?.length < MOST_KEPT ? image : undefined, from: facts.kind, strip: room.$('.data').value,
  });
}

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
    if (!told) return room.trouble(new Error('This picture is not on the server any more, and was too large for this tab to keep: bring it again.'));
    room.facts.desk = told.desk;
    room.hole.unpack(mask);
    keep(room);
    await work(room, began, false);
  } catch (error) { room.trouble(error); }
}

// What the tab kept of the picture, onto a new desk; null where it kept none.
async function again(room, saved) {
  if (saved.spec) return putOnDesk(room, { ...saved.spec, desk: '' });
  if (!saved.image) return null;
  const blob = await (await fetch(saved.image)).blob();
  return putOnDesk(room, { kind: 'upload', name: 'The picture' }, blob);
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
