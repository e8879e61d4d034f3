// The one event stream of a browser tab, for what moves by itself on a page: a Streamlit Custom Component v2, whose
// Python half is bnlab/ui/live.py. The server's half is bnlab/live/. Other scripts subscribe to a path in the document
// that the stream keeps up to date.
import { patience, waitToRender } from "./render_again.js";

const RETRY_DELAY = 2000;         // ms until a stream is opened again that the server has refused
const HIDDEN_DELAY = 1000;        // ms that a tab is hidden before its stream is closed

let page = null;                  // what the page was rendered for: { url, name, version, tasks, renderedAt, element, render }
let stream = null;                // { url, tasks, source, lastId }
let state = {};                   // the latest document of the stream
let done = new Set();             // the tasks that are done, of those that pages have waited for
let request = {};                 // the last one to render the page again: { version, time, delay }
let outdated = null;              // since when the page is: { since, share }
let actedAt = -Infinity;          // when the reader last touched the page
let timer = 0;
const places = new Map();         // element -> { path, callback, version }

// Calls back with the value at `path`, as "charts/training-loss", now and at each change, while `element` is in use.
// A place whose path depends on the reader has the `version` of the page that it was drawn with, and is called only while
// the page has it and the stream has no other: the parts of a page that is rendered again arrive one after the other.
export function subscribe(element, path, callback, version = "") {
  const place = { path, callback, version };
  places.set(element, place);
  const value = lookup(state, path);
  if (value !== undefined && (!version || isCurrent(place))) callback(value);
}

const isCurrent = ({ version }) => page?.version === version && newVersion() === "";

function showVersioned() {
  for (const place of [...places.values()]) {
    const value = place.version && isCurrent(place) ? lookup(state, place.path) : undefined;
    if (value !== undefined) place.callback(value);
  }
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
  if (isMatrix(values)) return [...values.slice(0, keep), ...rows(tail, values[0].length)];
  const result = new Float32Array(keep + tail.length);
  result.set(values.subarray(0, keep));
  result.set(tail, keep);
  return result;
}

// Values, or rows, of `values`, whose bits are set in `kept`, at the places whose bits are set in `places`, and others
// between them.
function mix(values, kept, places, others) {
  const isKept = bits(kept), isOld = bits(places);
  const added = isMatrix(values) ? rows(floats(others), values[0].length) : floats(others);
  const old = values.filter((_, index) => isKept(index));
  let used = 0, inserted = 0;
  const next = (_, index) => (isOld(index) ? old[used++] : added[inserted++]);
  return values.constructor.from({ length: old.length + added.length }, next);
}

function bits(text) {
  const bytes = atob(text);
  return (index) => (bytes.charCodeAt(index >> 3) >> (index & 7)) & 1;
}

const isMatrix = (values) => Array.isArray(values) && values[0] instanceof Float32Array;

function rows(values, columns) {
  return Array.from({ length: values.length / columns }, (_, row) => values.subarray(row * columns, (row + 1) * columns));
}

// Applies a difference of bnlab/live/events.py: a JSON Merge Patch in which arrays may grow.
export function merge(before, patch) {
  if (!isPlain(patch)) return patch;
  if (patch.add) return append(before, ...patch.add);
  if (patch.mix) return mix(before, ...patch.mix);
  if (typeof patch.f4 === "string") return patch.columns ? rows(floats(patch.f4), patch.columns) : floats(patch.f4);
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
  for (const { path, callback, version } of [...places.values()]) {
    const value = lookup(state, path);
    if (!version && value !== undefined && value !== lookup(before, path)) callback(value);
  }
  showVersioned();
  compareVersions();
}

// What the page is to be rendered for, "" if it is up to date: another version, or tasks that are done.
function newVersion() {
  const ready = page.tasks.filter((task) => done.has(task));
  const present = offered();
  return ready.length || isOld(present) ? [present, ...ready].join() : "";
}

// The version of what the stream says that this page offers: the one of the page's name, or that for anybody.
const offered = () => state.page?.[page.name] ?? state.page?.[""];

const isOld = (present) => stream?.url === page.url && present && present !== page.version;

// Asks for the page to be rendered again when it no longer offers what the runs' states allow.
function compareVersions() {
  clearTimeout(timer);
  const version = page ? newVersion() : "";
  if (!version) {
    outdated = null;
    return;
  }
  const now = performance.now();
  outdated ??= { since: now, share: Math.random() };
  const asked = version === request.version ? request : null;
  const wait = waitToRender(now, {
    ...outdated,
    spread: isOld(offered()) ? 1000 * (state.spread ?? 0) : 0,
    actedAt,
    renderedAt: page.renderedAt,
    isRunning: Boolean(document.querySelector('[data-test-script-state="running"]')),
    asked,
  });
  if (wait > 0) {
    timer = setTimeout(compareVersions, wait);
    return;
  }
  request = { version, time: now, delay: patience(asked) };
  page.render(version);
  timer = setTimeout(compareVersions, request.delay);
}

function open(url, tasks) {
  const isSame = stream?.url === url;
  const lastId = isSame ? stream.lastId : "";
  stream?.source?.close();
  const waiting = tasks.filter((task) => !done.has(task));
  const options = [...waiting.map((task) => `task=${task}`), ...(lastId ? [`last-event-id=${lastId}`] : [])];
  const source = new EventSource(new URL([url, ...options].join("&"), document.baseURI).href);
  stream = { url, tasks, source, lastId };
  const current = stream;
  const on = (kind, change) => source.addEventListener(kind, (event) => {
    if (stream !== current) return;
    stream.lastId = event.lastEventId;
    update(change(JSON.parse(event.data)), kind === "snapshot");
  });
  on("snapshot", (data) => merge({}, data));
  on("change", (data) => merge(state, data));
  source.addEventListener("ready", (event) => {
    done.add(JSON.parse(event.data));
    compareVersions();
  });
  source.addEventListener("error", () => {           // a browser itself returns only to a stream that was accepted
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => { if (stream === current && !document.hidden) open(url, tasks); }, RETRY_DELAY);
  });
}

// Shows the page's document for another value of a parameter in its address, until the page is rendered again.
export function showInstead(parameter, value) {
  if (!page) return;
  const [path, query] = page.url.split("?");
  const parameters = new URLSearchParams(query);
  parameters.set(parameter, value);
  open(`${path}?${parameters}`, []);
}

function close() {
  stream?.source?.close();
  if (stream) stream.source = null;
}

for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => {
    actedAt = performance.now();
    if (outdated) compareVersions();
  }, { capture: true, passive: true });
}

// Browsers allow few connections to one server: a hidden tab has none.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) setTimeout(() => { if (document.hidden) close(); }, HIDDEN_DELAY);
  else if (page && !stream?.source) open(page.url, page.tasks);
});

export default function ({ data, parentElement, setTriggerValue }) {
  const element = parentElement.querySelector(".live-stream");
  const render = (version) => setTriggerValue("outdated", version);
  if (page?.url !== data.url) request = {};
  page = { ...data, renderedAt: performance.now(), element, render };
  outdated = null;
  const isOpen = stream?.source && stream.url === page.url && String(stream.tasks) === String(page.tasks);
  if (!isOpen) open(page.url, page.tasks);
  showVersioned();
  compareVersions();
  return () => setTimeout(() => {
    if (page?.element !== element || element.isConnected) return;
    page = null;
    close();
  });
}
