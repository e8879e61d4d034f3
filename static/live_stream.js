// The one event stream of a browser tab, for what moves by itself on a page: a Streamlit Custom Component v2, whose
// Python half is bnlab/ui/live.py. The server's half is bnlab/live/. Other scripts subscribe to a path in the document
// that the stream keeps up to date.
const RENDERED_LONG_AGO = 600;    // ms; until then the stream may be older than the page
const RUNNING_DELAY = 200;        // ms until a page whose script runs is looked at again
const ASK_AGAIN_DELAY = 2000;     // ms until a page is asked again that was not rendered; doubled each time
const RETRY_DELAY = 2000;         // ms until a stream is opened again that the server has refused
const HIDDEN_DELAY = 1000;        // ms that a tab is hidden before its stream is closed

let page = null;                  // what the page was rendered for: { url, version, renderedAt, element, render }
let stream = null;                // { url, source, lastId }
let state = {};                   // the latest document of the stream
let request = {};                 // the last one to render the page again: { version, time, delay }
let timer = 0;
const places = new Map();         // element -> { path, callback }

// Calls back with the value at `path`, as "charts/training-loss", now and at each change, while `element` is in use.
export function subscribe(element, path, callback) {
  places.set(element, { path, callback });
  const value = lookup(state, path);
  if (value !== undefined) callback(value);
}

// To be called by a component's cleanup, which Streamlit also calls for elements that stay on the page.
export function unsubscribe(element) {
  setTimeout(() => { if (!element.isConnected) places.delete(element); });
}

function lookup(value, path) {
  for (const name of path.split("/")) value = value?.[name];
  return value;
}

const isPlain = (value) => value !== null && Object.getPrototypeOf(value) === Object.prototype;

function floats(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function append(values, keep, text) {
  const tail = floats(text);
  const result = new Float32Array(keep + tail.length);
  result.set(values.subarray(0, keep));
  result.set(tail, keep);
  return result;
}

// Applies a difference of bnlab/live/events.py: a JSON Merge Patch in which arrays may grow.
export function merge(before, patch) {
  if (Array.isArray(patch) && before instanceof Float32Array) return append(before, ...patch);
  if (!isPlain(patch)) return patch;
  if (typeof patch.f4 === "string") return floats(patch.f4);
  if (patch.even) {
    const [start, step, length] = patch.even;
    return Float32Array.from({ length }, (_, index) => start + index * step);
  }
  const result = isPlain(before ?? null) ? { ...before } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}

function update(document, isNew) {
  const before = isNew ? {} : state;
  state = document;
  for (const { path, callback } of [...places.values()]) {
    const value = lookup(state, path);
    if (value !== undefined && value !== lookup(before, path)) callback(value);
  }
  compareVersions();
}

// Asks for the page to be rendered again when it no longer offers what the runs' states allow. A request can get lost
// among those of the reader's own actions; then the page is asked again.
function compareVersions() {
  clearTimeout(timer);
  if (!page || !state.page || stream?.url !== page.url || state.page === page.version) return;
  const now = performance.now();
  const isSame = state.page === request.version;
  // A script that runs already, for example after a click, renders the page for the present states by itself.
  const isRunning = document.querySelector('[data-test-script-state="running"]');
  const wait = Math.max(
    page.renderedAt + RENDERED_LONG_AGO - now, isRunning ? RUNNING_DELAY : 0, isSame ? request.time + request.delay - now : 0,
  );
  if (wait > 0) {
    timer = setTimeout(compareVersions, wait);
    return;
  }
  request = { version: state.page, time: now, delay: isSame ? 2 * request.delay : ASK_AGAIN_DELAY };
  page.render(state.page);
  timer = setTimeout(compareVersions, request.delay);
}

function open(url) {
  const isSame = stream?.url === url;
  const lastId = isSame ? stream.lastId : "";
  stream?.source?.close();
  const address = lastId ? `${url}&last-event-id=${lastId}` : url;
  const source = new EventSource(new URL(address, document.baseURI).href);
  stream = { url, source, lastId };
  const current = stream;
  const on = (kind, change) => source.addEventListener(kind, (event) => {
    if (stream !== current) return;
    stream.lastId = event.lastEventId;
    update(change(JSON.parse(event.data)), kind === "snapshot");
  });
  on("snapshot", (data) => merge({}, data));
  on("change", (data) => merge(state, data));
  source.addEventListener("error", () => {           // a browser itself returns only to a stream that was accepted
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => { if (stream === current && !document.hidden) open(url); }, RETRY_DELAY);
  });
}

function close() {
  stream?.source?.close();
  if (stream) stream.source = null;
}

// Browsers allow few connections to one server: a hidden tab has none.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) setTimeout(() => { if (document.hidden) close(); }, HIDDEN_DELAY);
  else if (page && !stream?.source) open(page.url);
});

export default function ({ data, parentElement, setTriggerValue }) {
  const element = parentElement.querySelector(".live-stream");
  const render = (version) => setTriggerValue("outdated", version);
  page = { ...data, renderedAt: performance.now(), element, render };
  if (stream?.url !== page.url || !stream.source) open(page.url);
  compareVersions();
  return () => setTimeout(() => {
    if (page?.element !== element || element.isConnected) return;
    page = null;
    close();
  });
}
