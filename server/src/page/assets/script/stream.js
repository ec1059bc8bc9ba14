// The connection to the server: one stream of events, which comes back by itself and says how it is.

import { ago, element, root, wall, word } from "./words.js";

// A connection that has been silent for longer is lost: the server says something every 10 seconds.
const SILENCE = 25_000;
// Between attempts: at random up to these, doubled each time.
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
// A page that nobody sees gives its connection back.
export const UNSEEN = 60_000;
// A wall dims when its figures may be old.
const STALE = 30_000;

// How it is.
export const stream = {
  source: null,
  heard: 0,
  attempts: 0,
  lostSince: 0,
  lastChange: 0,
  paused: false,
  retry: 0,
  unseen: 0,
};

const position = () => document.body.dataset.position;
const isLive = () => document.body.dataset.live !== undefined;

export function connect() {
  clearTimeout(stream.retry);
  stream.retry = 0;
  disconnect();
  if (!isLive() || stream.paused) return show();
  const url = new URL(document.body.dataset.live, location.href);
  url.pathname = "/live" + url.pathname;
  url.searchParams.set("after", position());
  const source = new EventSource(url);
  stream.source = source;
  stream.heard = Date.now();
  const on = (name, act) =>
    source.addEventListener(name, (event) => {
      if (stream.source !== source) return;
      stream.heard = Date.now();
      if (event.lastEventId) document.body.dataset.position = event.lastEventId;
      act(event);
    });
  on("picture", (event) => (arrived(), tell("picture", JSON.parse(event.data))));
  on("beat", arrived);
  on("reload", reload);
  on("closing", (event) => (disconnect(), lost(), again(Number(event.data))));
  source.onerror = () => {
    if (stream.source !== source) return;
    // Answered, and not with a stream: the page may have lost its token.
    if (source.readyState === EventSource.CLOSED) askAgain();
    disconnect();
    lost();
    again();
  };
  show();
}

export function disconnect() {
  stream.source?.close();
  stream.source = null;
}

async function askAgain() {
  const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
  if (answer?.status === 401) location.reload();
}

function arrived() {
  stream.attempts = 0;
  stream.lostSince = 0;
  stream.caughtUp = true;
  show();
}

function lost() {
  stream.caughtUp = false;
  stream.lostSince ||= Date.now();
  show();
}

function again(pause) {
  if (stream.retry) return;
  const most = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** stream.attempts);
  stream.attempts += 1;
  stream.retry = setTimeout(connect, pause ?? most / 4 + Math.random() * most * 0.75);
}

// What is here is of another history or of another version of the page. Not in a loop.
function reload() {
  disconnect();
  const last = Number(sessionStorage.getItem("reloaded") ?? 0);
  if (Date.now() - last < 10_000) return lost(), again(10_000);
  sessionStorage.setItem("reloaded", String(Date.now()));
  location.reload();
}

export function show() {
  const state = element("state");
  if (!state) return;
  const text = element("state-text");
  let name = "past";
  let said = text.textContent;
  if (isLive()) {
    if (stream.paused) [name, said] = ["paused", word("paused", "已暂停")];
    else if (stream.lostSince) {
      const since = new Date(stream.lostSince).toLocaleTimeString(root.lang);
      [name, said] = ["lost", word(`lost since ${since}, trying again`, `自 ${since} 断开，正在重连`)];
    } else if (stream.source && stream.caughtUp) [name, said] = ["live", word("live", "实时")];
    else [name, said] = ["catching", word("catching up", "正在同步")];
  }
  state.dataset.state = name;
  if (text.textContent !== said) text.textContent = said;
  root.classList.toggle("stale", wall() && stream.lostSince !== 0 && Date.now() - stream.lostSince > STALE);
  const last = element("last-change");
  if (last) last.textContent = stream.lastChange ? word("last change ", "最近变动：") + ago(stream.lastChange) : "";
}

// Every second: whether the connection still speaks, and how old things are.
export function tick() {
  if (stream.source && Date.now() - stream.heard > SILENCE) {
    disconnect();
    lost();
    again();
  }
  show();
  for (const time of document.querySelectorAll("time.age")) {
    const then = Date.parse(time.dateTime);
    if (!time.title) time.title = time.textContent;
    const text = Date.now() - then < 7 * 86_400_000 ? ago(then) : time.title;
    if (time.textContent !== text) time.textContent = text;
  }
  const clock = element("clock");
  if (clock) clock.textContent = new Date().toLocaleTimeString(root.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}


// Tells the rest of the page.
function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

// The newest change that the page shows, until another comes.
export function remember() {
  stream.lastChange = Math.max(0, ...[...document.querySelectorAll("main time.age")].map((time) => Date.parse(time.dateTime)));
}
