// What was answered goes out at once, in order, until the server has it. What waits is kept in the browser's storage under
// plan and reviewer, so that a page of a later session sends what this one could not.

const RETRY = [400, 800, 1500, 3000, 5000];      // milliseconds; the last one again and again

class Refused extends Error {
  constructor(status, told) { super(told.error || String(status)); this.status = status; this.told = told; }
}

const uuid = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const text = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
};

// One question to the server. Throws `Refused` for a 4xx, any other error where it cannot be reached.
async function ask(path, given) {
  const body = given === undefined ? undefined : JSON.stringify(given);
  const answer = await fetch(path, body === undefined ? { cache: "no-store", headers: { "X-Grader-Language": LANGUAGE } } : {
    method: "POST", body, keepalive: body.length < 10000,      // what is small goes out even if the page is left meanwhile
    headers: { "Content-Type": "application/json", "X-Grader": "review", "X-Grader-Language": LANGUAGE },
  });
  if (answer.status >= 500) throw new Error(String(answer.status));
  const told = await answer.json().catch(() => null);
  const ours = told && typeof told === "object" && (answer.ok ? body === undefined || told.ok === true : typeof told.error === "string");
  if (!ours) throw new Error(String(answer.status));     // another program has this port now: nothing of it is an answer
  if (!answer.ok) throw new Refused(answer.status, told);
  return told;
}

// Whether the token is of no session that runs any more. A 404 alone may mean something else.
async function hasEnded(error) {
  if (!(error instanceof Refused) || error.status !== 404) return false;
  try { await ask("api/session"); } catch (found) { return found instanceof Refused && found.status === 404; }
  return false;
}

// `told(act, answer)` for each that arrived, `refused(act, error)` for each that never will, `changed()` for the rest.
function makeOutbox(told, refused, changed) {
  let waiting = [], prefix = "", running = false, failed = 0, timer = 0, last = 0;
  const box = {
    made: 0,                                      // how many acts there were
    ended: false,                                 // the token is of no session that runs
    get n() { return waiting.length; },
    get failed() { return failed; },
    holds: (item) => waiting.some((one) => one.act.item === item),
    // From now on under these names; what a page before this one left comes first. No name is the beginning of another's.
    open(...names) {
      prefix = `review-${names.map(encodeURIComponent).join("/")}/`;
      waiting = [...left(prefix), ...waiting].sort((a, b) => a.at - b.at);
      return box.send();
    },
    add(act, path = "api/act") {
      const at = last = Math.max(Date.now(), last + 1);
      const one = { at, path, act: { id: uuid(), ...act, at: new Date(at).toISOString() } };
      waiting.push(one);
      box.made += 1;
      keep.set(prefix + one.act.id, JSON.stringify(one));
      changed();
      box.send();
      return one.act;
    },
    async send() {
      if (running || box.ended) return;
      clearTimeout(timer);
      running = true;
      while (waiting.length) {
        const one = waiting[0];
        let answer = null, error = null;
        try { answer = await ask(one.path, one.act); } catch (found) { error = found; }
        if (await hasEnded(error)) { box.ended = true; break; }
        if (error && !(error instanceof Refused)) {
          timer = setTimeout(() => box.send(), RETRY[Math.min(failed, RETRY.length - 1)]);
          failed += 1;
          break;
        }
        failed = 0;
        waiting = waiting.filter((other) => other !== one);
        forget(prefix + one.act.id);
        if (error) refused(one.act, error); else told(one.act, answer);
      }
      running = false;
      changed();
    },
  };
  addEventListener("online", () => box.send());
  return box;
}

function left(prefix) {
  const found = [];
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(`grader-${prefix}`)) continue;
      try { found.push(JSON.parse(localStorage.getItem(key))); } catch { localStorage.removeItem(key); }
    }
  } catch { /* no storage: what waits is in memory only */ }
  return found.filter((one) => one && one.act && one.act.id);
}

function forget(key) {
  try { localStorage.removeItem(`grader-${key}`); } catch { /* no storage */ }
}
