// What this tab keeps, so that neither a reload nor a server that was started anew loses it: how the page stands in the
// session's storage; the picture, which may be too large for that, in memory and in the browser's database.
const KEPT = 'playground.paint', MOST_KEPT = 1.5e6, MOST_MASK = 2.2e6; // characters: of a picture, of a mask's bits
const MOST_PICTURES = 4; // in the database, of all tabs

const kept = {
  read() { try { return JSON.parse(sessionStorage.getItem(KEPT)) ?? {}; } catch { return {}; } },
  write(value) {
    for (const drop of [[], ['image'], ['image', 'mask']]) { // what does not fit stays elsewhere
      const { ...some } = value;
      for (const name of drop) delete some[name];
      try { sessionStorage.setItem(KEPT, JSON.stringify(some)); return; } catch { /* full, or not allowed */ }
    }
  },
};

// Files by names that this tab makes up; a browser that allows no database keeps them until the reload.
const files = {
  async put(blob) {
    const name = `${Date.now()} ${Math.random()}`;
    window.__apPaintFile = { name, blob };
    try {
      const store = await this.store('readwrite'), names = await settled(store.getAllKeys());
      for (const old of names.sort().slice(0, -MOST_PICTURES + 1)) store.delete(old);
      await settled(store.put(blob, name));
    } catch { /* not allowed, or full */ }
    return name;
  },
  async get(name) {
    if (!name) return null;
    if (window.__apPaintFile?.name === name) return window.__apPaintFile.blob;
    try { return await settled((await this.store('readonly')).get(name)) ?? null; } catch { return null; }
  },
  async store(mode) {
    const asked = indexedDB.open(KEPT, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore('files');
    return (await settled(asked)).transaction('files', mode).objectStore('files');
  },
};

const settled = asked => new Promise((done, failed) => {
  asked.onsuccess = () => done(asked.result);
  asked.onerror = asked.onblocked = () => failed(asked.error);
});

// What a reload needs: the desk, where its picture is from, the mask, and how the controls stand.
function keep(room) {
  const { facts, hole, tool, size, way, model, kind, level, seed, shown, image, compare } = room;
  if (!facts) return;
  const mask = hole.bytes.length / 6 < MOST_MASK ? hole.pack() : undefined;
  kept.write({
    desk: facts.desk, spec: facts.data ? { data: facts.data, index: facts.index, like: facts.like } : null, mask, tool, size, way,
    model, chosen: room.chosen, kind, level, seed, shown, compare, image: !facts.data && image?.length < MOST_KEPT ? image : undefined, from: facts.kind, strip: room.$('.data').value,
    file: facts.data ? undefined : room.file, name: facts.label,
  });
}

// What the tab kept of the picture, onto a new desk; null where it kept none.
async function again(room, saved) {
  if (saved.spec) return putOnDesk(room, { ...saved.spec, desk: '' });
  const blob = saved.image ? await (await fetch(saved.image)).blob() : await files.get(saved.file);
  const told = blob && await putOnDesk(room, { kind: 'upload', name: saved.name || 'The picture', desk: '' }, blob);
  if (told) room.say('The playground has been started anew: your picture was brought to it again, with what you hid.');
  return told || null;
}

const LOST = 'The playground has been started anew, and this browser kept no copy of your picture: bring it again.';
