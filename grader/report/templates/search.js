// Free text search over every conversation of the file, chunk by chunk, so that the page never waits and what was found
// is there while it looks on. Case, accents and characters that cannot be seen do not count.

const plain = (text) => {
  const seen = UNSEEN.any && UNSEEN.any.test(text) ? text.replace(UNSEEN.pattern, (all, run) => (run ? "" : all)) : text;
  return (/^[\x00-\x7f]*$/.test(seen) ? seen : seen.normalize("NFD").replace(/\p{M}+/gu, "")).toLowerCase();
};

const breath = () => new Promise((done) => { const channel = new MessageChannel(); channel.port1.onmessage = done; channel.port2.postMessage(0); });

// One search at a time. `hits[place]` is 1 where a conversation has the words, 0 where not, 2 where nobody has looked yet.
const searching = { query: "", hits: null, done: true, looked: 0, turn: 0 };

// The words of the index that belong to a conversation: its identity, queue and reason, and the titles of what was found.
function wordsOfIndex(needle) {
  const has = (column, name) => column.values.map((value) => value && (plain(value).includes(needle) || plain(name(value)).includes(needle)));
  const queues = has(INDEX.queue, (v) => v), reasons = has(INDEX.reason, label);
  const named = INDEX.code.map((code) => plain(code).includes(needle) || plain(title(code)).includes(needle));
  const found = INDEX.codes.values.map((codes) => codes.some((n) => named[n])), weak = INDEX.weak.values.map((codes) => codes.some((n) => named[n]));
  return (place) => queues[INDEX.queue.of[place]] || reasons[INDEX.reason.of[place]] || found[INDEX.codes.of[place]] || weak[INDEX.weak.of[place]]
    || plain(INDEX.id[place]).includes(needle);
}

function forget() {
  searching.turn += 1;
  Object.assign(searching, { query: "", hits: null, done: true });
}

// Look for the words in all conversations; `tell` is called as it goes on and at the end. Another search, or `forget`, ends
// this one. What a shorter beginning of the words was not found in is not looked at again.
async function search(query, tell) {
  const needle = plain(query.trim());
  if (!needle) { forget(); return; }
  if (searching.hits && searching.query === needle) return;
  const turn = searching.turn += 1;
  const before = searching.done && searching.query && needle.includes(searching.query) ? searching.hits : null;
  const hits = new Uint8Array(INDEX.n).fill(2);
  Object.assign(searching, { query: needle, hits, done: false, looked: 0 });
  const mine = () => searching.turn === turn;
  const named = wordsOfIndex(needle);
  const wanted = [];
  for (let n = 0; n < INDEX.starts.length; n += 1) {
    const end = n + 1 < INDEX.starts.length ? INDEX.starts[n + 1] : INDEX.n;
    let any = false;
    for (let place = INDEX.starts[n]; place < end; place += 1) {
      if (before && !before[place]) hits[place] = 0;
      else if (named(place)) hits[place] = 1;
      else any = true;
    }
    if (any) wanted.push([n, end]);
  }
  let told = performance.now();
  let next = wanted.length ? rawChunk(wanted[0][0]) : null;
  for (let i = 0; i < wanted.length; i += 1) {
    const [n, end] = wanted[i];
    const parts = await next;
    if (!mine()) return;
    next = i + 1 < wanted.length ? rawChunk(wanted[i + 1][0]) : null;     // decoded while this one is looked through
    const streams = parts.slice(2, 2 + SEARCHED_STREAMS).map((bytes) => expanded(bytes).split(CASE));
    for (let place = INDEX.starts[n]; place < end; place += 1) {
      if (hits[place] !== 2) continue;
      const said = streams.map((cases) => cases[place - INDEX.starts[n]]).join("\n").replaceAll(TEXT, "\n");
      hits[place] = plain(said).includes(needle) ? 1 : 0;
    }
    searching.looked = end;
    if (performance.now() - told > 200) { tell(); await breath(); told = performance.now(); if (!mine()) return; }
  }
  searching.done = true;
  searching.looked = INDEX.n;
  tell();
}
