// The conversations of this file: an index in columns, and chunks that are decoded when they are looked at. How they are
// packed, and what the numbers mean, says grader/report/pack.py.

const CASE = "\x1d", TEXT = "\x1e";
const SEARCHED_STREAMS = 3, FIRST_SHARED = -6;
const KEPT_CHUNKS = 4, KEPT_CASES = 16;      // so many stay decoded

let INDEX = { n: 0, id: [], starts: [] };
let SHAPES = [];                             // of each kind of record its fields, as [name, what it is where the record ends before it]
let SHARED = [];                             // texts of many conversations

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

// The parts of what is packed in a node, as bytes: a line tells their lengths.
async function inflated(node) {
  const stream = new Blob([bytesOf(node.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let at = bytes.indexOf(10) + 1;
  return JSON.parse(utf8(bytes.subarray(0, at))).map((length) => bytes.subarray(at, at += length));
}

const reading = new TextDecoder();
const utf8 = (bytes) => reading.decode(bytes);

// Texts as bytes, as grader/report/dictionary.py writes them: each byte a character, a word, or the first of two that are one.
const ESCAPE = 0x1f, END = 0xff;
let ONES = [], PAIRS = [];                   // by byte a text; by leading byte 256 of them

function useDictionary([ones, pairs]) {
  const leads = 40, free = [];
  ONES = new Array(256);
  PAIRS = new Array(256);
  for (let byte = 0; byte < END; byte += 1) {
    if ((byte >= 0x20 && byte < 0x7f) || byte === 9 || byte === 10 || (byte >= 0x1c && byte <= 0x1e)) ONES[byte] = String.fromCharCode(byte);
    else if (byte !== ESCAPE) free.push(byte);
  }
  const first = free.length - leads;
  ones.forEach((word, n) => { ONES[free[n]] = word; });
  for (let n = 0; n < leads; n += 1) PAIRS[free[first + n]] = pairs.slice(256 * n, 256 * (n + 1));
}

function expanded(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i], one = ONES[byte];
    if (one !== undefined) text += one;
    else if (byte === ESCAPE) { const end = bytes.indexOf(END, i); text += utf8(bytes.subarray(i + 1, end)); i = end; }
    else { i += 1; text += PAIRS[byte][bytes[i]]; }
  }
  return text;
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
  const [trees, shared, ...streams] = await rawChunk(n);
  return { trees: JSON.parse(utf8(trees)), shared: expanded(shared).split(TEXT).map(itself), streams: streams.map((bytes) => expanded(bytes).split(CASE)) };
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

// A text that stood between separators: what would be one of them in it is marked.
const itself = (text) => (text.includes("\x1f") ? text.replace(/\x1f(.)/g, (all, marked) => String.fromCharCode(marked.charCodeAt(0) - 0x40)) : text);

function unpacked(chunk, row) {
  const streams = chunk.streams.map((cases) => cases[row].split(TEXT)), at = streams.map(() => 0);
  const local = [];
  function text(mark) {
    if (typeof mark === "string") return local[mark];
    if (mark <= FIRST_SHARED) return SHARED[FIRST_SHARED - mark] ?? chunk.shared[FIRST_SHARED - mark - SHARED.length];
    const stream = -1 - mark, found = itself(streams[stream][at[stream]++]);
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
    else SHAPES[kind - 1].forEach(([name, blank], i) => { record[name] = value(i + 1 < packed.length ? packed[i + 1] : blank); });
    if (record.segments) record.n_chars = record.segments.reduce((n, segment) => n + [...segment.text].length, 0);
    return record;
  }
  return value(chunk.trees[row]);
}

// A column in which few values stand once each.
const few = (column, place) => column.values[column.of[place]];
