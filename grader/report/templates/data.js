// The conversations of this file: an index in columns, and chunks that are decoded when they are looked at. How they are
// packed, and what the numbers mean, says grader/report/pack.py.

const PART = "\x1c", CASE = "\x1d", TEXT = "\x1e";
const KEPT_CHUNKS = 4, KEPT_CASES = 16;      // so many stay decoded

let INDEX = { n: 0, id: [], starts: [] };
let SHAPES = [];                             // of each kind of record the names of its fields

const able = () => typeof DecompressionStream === "function";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%/()*+-;,=.?@^_`{|}~";
const DIGIT = new Uint8Array(128);
[...DIGITS].forEach((digit, n) => { DIGIT[digit.charCodeAt(0)] = n; });

// Base 85: five digits are four bytes, the last group may be shorter.
function bytesOf(text) {
  const whole = Math.floor(text.length / 5), left = text.length % 5;
  const bytes = new Uint8Array((whole + 1) * 4), view = new DataView(bytes.buffer);
  const at = (i) => (i < text.length ? DIGIT[text.charCodeAt(i)] : 84);
  for (let n = 0, i = 0; n < whole; n += 1, i += 5) {
    view.setUint32(n * 4, (((DIGIT[text.charCodeAt(i)] * 85 + DIGIT[text.charCodeAt(i + 1)]) * 85 + DIGIT[text.charCodeAt(i + 2)]) * 85
      + DIGIT[text.charCodeAt(i + 3)]) * 85 + DIGIT[text.charCodeAt(i + 4)]);
  }
  if (left) { const i = whole * 5; view.setUint32(whole * 4, (((at(i) * 85 + at(i + 1)) * 85 + at(i + 2)) * 85 + at(i + 3)) * 85 + at(i + 4)); }
  return bytes.subarray(0, whole * 4 + Math.max(0, left - 1));
}

function inflated(node) {
  return new Response(new Blob([bytesOf(node.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

const complete = new Promise((done) => {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => done(), { once: true }); else done();
});

// The text of chunk n. A file may still be coming in when its first conversation is looked at.
async function rawChunk(n) {
  const there = () => document.querySelector(`script[data-chunk="${n}"]`);
  let node = there();
  if (!node || !node.nextElementSibling) { await complete; node = there(); }
  if (!node) throw new Error(`chunk ${n} is not in this file`);
  return inflated(node);
}

// A map that forgets what was used least lately.
function kept(most, make) {
  const found = new Map();
  return (key) => {
    const value = found.has(key) ? found.get(key) : make(key);
    found.delete(key);
    found.set(key, value);
    if (found.size > most) found.delete(found.keys().next().value);
    return value;
  };
}

const chunkAt = kept(KEPT_CHUNKS, async (n) => {
  const [trees, shared, searched, other] = (await rawChunk(n)).split(PART);
  return { trees: JSON.parse(trees), shared: shared.split(TEXT).map(expanded), searched: searched.split(CASE), other: other.split(CASE) };
});

// The chunk in which the conversation at a place of the index stands.
function chunkOf(place) {
  let low = 0, high = INDEX.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (INDEX.starts[middle] <= place) low = middle; else high = middle - 1;
  }
  return low;
}

const conversation = kept(KEPT_CASES, async (place) => {
  const n = chunkOf(place);
  const of = (name) => few(INDEX[name], place);
  return { ...unpacked(await chunkAt(n), place - INDEX.starts[n]), id: INDEX.id[place], queue: of("queue"), channel: of("channel"), language: of("language"),
    excerpt: INDEX.words[place] };
});

// A text as it is: characters that stand for a word as the word, marked ones as themselves.
let DICTIONARY = new Map();
const expanded = (text) => text.replace(/\x1f?[\u0180-\u07ff\ue000-\uefff]|[\x01-\x08\x0e-\x1b]|\x1f[\x40-\x5f]/g, (found) => (found.length > 1
  ? found.charCodeAt(1) < 0x80 ? String.fromCharCode(found.charCodeAt(1) - 0x40) : found[1] : DICTIONARY.get(found) ?? found));

function unpacked(chunk, row) {
  const searched = chunk.searched[row].split(TEXT), other = chunk.other[row].split(TEXT);
  const local = [];
  let atSearched = 0, atOther = 0;
  function text(mark) {
    if (typeof mark === "string") return local[mark];
    if (mark <= -3) return chunk.shared[-3 - mark];
    const found = expanded(mark === -1 ? searched[atSearched++] : other[atOther++]);
    local.push(found);
    return found;
  }
  // A whole text, and pairs of a stretch's length and its findings.
  function cut([, mark, ...pairs]) {
    const whole = text(mark);
    if (!pairs.length) return [{ text: whole, findings: [] }];
    const segments = [];
    for (let i = 0, at = 0; i < pairs.length; at += pairs[i], i += 2) segments.push({ text: whole.slice(at, at + pairs[i]), findings: pairs[i + 1] });
    return segments;
  }
  function value(packed) {
    if (typeof packed === "string" || (typeof packed === "number" && packed < 0)) return text(packed);
    if (!Array.isArray(packed)) return packed;
    const kind = packed[0];
    if (kind === 0) return packed.slice(1).map(value);
    if (kind === -1) return cut(packed);
    if (kind === -3) return packed[1];
    if (kind === -4) return local[packed[1]].slice(packed[2], packed[2] + packed[3]);
    const record = {};
    if (kind === -2) for (let i = 1; i < packed.length; i += 2) { const key = text(packed[i]); record[key] = value(packed[i + 1]); }
    else SHAPES[kind - 1].forEach((name, i) => { record[name] = value(packed[i + 1]); });
    if (record.segments) record.n_chars = record.segments.reduce((n, segment) => n + [...segment.text].length, 0);
    return record;
  }
  return value(chunk.trees[row]);
}

// A column in which few values stand once each.
const few = (column, place) => column.values[column.of[place]];
