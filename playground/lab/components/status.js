// One line: what the run is doing, how far and how fast. data: {job, status, measured}, as the script knows it.
// When the run's status is no longer the one the script knows (it ended, or somebody else paused it), the trigger
// makes the script run again, so that the buttons follow; again after DEAF ms where that was not heard, for a run that has
// ended sends nothing more to be reminded by.
// A page that was clicked away from is left alone for LEAVING ms, long enough for a busy server to bring the other: its
// word would call the reader back. Streamlit sends a word only in the next turn of the browser's loop, and a click may
// come before that: such a click waits for it.
const LEAVING = 20000, AGAIN = 500, DEAF = 2000;
const WORDS = {
  opening: 'Opening', ready: 'Ready', running: 'Training', paused: 'Paused', stopped: 'Stopped', done: 'Finished', failed: 'Ended',
};

export default function ({ data, parentElement: root, setTriggerValue }) {
  const state = bus.once(root, start);
  state.known = data;
  state.fire = setTriggerValue;
  bus.follow(data.job);
  if (bus.run) check(state, bus.run);
}

function start(root) {
  const s = { root, asked: 0, left: -LEAVING, sending: false }, box = $(root, '.ap');
  document.addEventListener('click', function leave(e) {
    if (!box.isConnected) return document.removeEventListener('click', leave, true);
    const link = e.target.closest?.('a[href]');
    if (!link || link.pathname === location.pathname) return;
    if (s.sending && !e.button && !e.ctrlKey && !e.metaKey && !e.shiftKey) {
      e.preventDefault();
      e.stopImmediatePropagation();
      return void setTimeout(() => link.click());
    }
    s.left = performance.now();
  }, true);
  bus.listen(box, run => { fill(root, run, s.known?.measured ?? 'held-out PSNR'); check(s, run); });
  return s;
}

// Messages come faster than the trigger's delay, so one that waits is left alone; the script gets time to answer.
function check(s, run) {
  const now = run.gone ? 'gone' : run.status;
  if (!s.known || run.job !== s.known.job || now === s.known.status) {
    clearTimeout(s.asked);
    s.asked = 0;
    return;
  }
  if (s.asked || (s.told === now && performance.now() - s.at < DEAF)) return;
  const tell = () => {
    if (performance.now() - s.left < LEAVING) return void (s.asked = setTimeout(tell, AGAIN));
    Object.assign(s, { asked: 0, told: now, at: performance.now() });
    if (!$(s.root, '.ap').isConnected) return;
    s.fire('changed', now + ' ' + Date.now());
    s.sending = true;
    setTimeout(() => (s.sending = false)); // begun after Streamlit's own, so it ends after it
    setTimeout(() => { if (bus.run) check(s, bus.run); }, DEAF);
  };
  s.asked = setTimeout(tell, 200);
}

function fill(root, run, measured) {
  const per = run.per_epoch, say = (name, text) => put($(root, '.' + name), text);
  $(root, '.ap').dataset.status = run.status;
  say('state', run.connected === false ? 'Reconnecting' : run.waiting && run.status === 'opening' ? 'Loading' : WORDS[run.status] || '');
  say('epoch', per ? `epoch ${(run.step / per).toFixed(run.step / per < 10 ? 2 : 1)} of ${count(run.epochs)}` : '');
  say('rate', run.rate ? `${count(Math.round(run.rate))} images/s` : '');
  const seconds = run.rate ? run.images / run.rate : 0, left = seconds * (run.steps - run.step) / (per || 1);
  say('pass', seconds ? `${seconds < 10 ? seconds.toFixed(2) : Math.round(seconds)} s/epoch` : '');
  say('left', run.status === 'running' && left ? `${clock(left)} left` : '');
  const told = run.metrics?.[run.task?.metric];
  say('measured', told ? `${measured} ${run.task.unit === '%' ? `${(100 * told).toFixed(1)} %` : `${told.toFixed(1)} ${run.task.unit}`}` : '');
  say('device', run.device || '');
  $(root, '.bar i').style.width = `${run.steps ? 100 * run.step / run.steps : 0}%`;
}

function clock(seconds) {
  const s = Math.round(seconds), pad = v => String(v).padStart(2, '0');
  return s >= 3600 ? `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}` : `${Math.floor(s / 60)}:${pad(s % 60)}`;
}
