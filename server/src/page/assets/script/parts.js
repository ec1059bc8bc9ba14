// Parts of the page, exchanged one by one while the reader looks on: focus, what is typed and what is unfolded stay.

import { dressParts } from "./chart.js";
import { show, stream } from "./stream.js";
import { turnTo } from "./wall.js";
import { calm, element, word } from "./words.js";

// Parts that wait until the reader has left them.
export const waiting = new Map();

export function exchange(picture) {
  document.title = document.title.replace(/^.*(?= · )/s, () => picture.title);
  const known = Object.keys(picture.order ?? {}).every((id) => element(id) || picture.order[id].length === 0);
  const changed = [];
  const before = places();
  if (!known) {
    // A section that was not there: the page as a whole.
    document.dispatchEvent(new Event("lacking"));
  } else {
    for (const [id, html] of Object.entries(picture.html)) {
      const node = build(html);
      const old = element(id);
      if (old && isEdited(old)) waiting.set(id, node);
      else if (replace(old, node, picture.order)) changed.push(node);
    }
    const focused = document.activeElement;
    for (const [section, ids] of Object.entries(picture.order ?? {})) arrange(section, ids);
    // Whatever is moved or taken away loses it.
    if (document.activeElement !== focused) (focused.isConnected ? focused : element("main")).focus({ preventScroll: true });
  }
  if (picture.recorded_at) stream.lastChange = Date.parse(picture.recorded_at);
  for (const node of changed) flash(node);
  move(before);
  say(picture, changed);
  document.dispatchEvent(new Event("exchanged"));
  show();
}

function build(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

// Puts a part where the old one was. Answers whether its figure is another.
function replace(old, node, order) {
  if (!old) {
    const section = Object.entries(order ?? {}).find(([, ids]) => ids.includes(node.id))?.[0];
    element(section)?.append(node);
    return node.dataset.figure !== undefined;
  }
  const focused = old.contains(document.activeElement) ? trace(old, document.activeElement) : null;
  const picked = [...old.querySelectorAll("svg.chart")].map((svg) => svg.querySelector(".picked")?.dataset.period);
  // What the reader has unfolded stays so.
  const folds = [...old.querySelectorAll("details")].map((fold) => fold.open);
  const isFold = old instanceof HTMLDetailsElement;
  if (isFold) node.open = old.open;
  node.querySelectorAll("details").forEach((fold, i) => i < folds.length && (fold.open = folds[i]));
  node.hidden = old.hidden;
  const rank = Number(node.dataset.rank) - Number(old.dataset.rank);
  if (rank) node.classList.add(rank < 0 ? "rose" : "fell");
  old.replaceWith(node);
  dressParts();
  if (focused) refocus(node, focused);
  node.querySelectorAll("svg.chart").forEach((svg, i) => picked[i] && svg.dispatchEvent(new CustomEvent("pick", { detail: picked[i] })));
  return old.dataset.figure !== node.dataset.figure || Boolean(rank);
}

// What had the focus, to be found again in what comes in its place.
const FOCUSABLE = "a[href], button, input, select, summary, [tabindex]";

export function trace(part, focused) {
  return { focused, index: [...part.querySelectorAll(FOCUSABLE)].indexOf(focused), itself: part === focused };
}

export function refocus(part, { focused, index, itself }) {
  const all = [...part.querySelectorAll(FOCUSABLE)];
  const alike = (node) =>
    node.tagName === focused.tagName &&
    node.id === focused.id &&
    node.name === focused.name &&
    node.href === focused.href &&
    (focused.type !== "checkbox" || node.value === focused.value);
  const found = itself ? part : alike(all[index] ?? part) ? all[index] : (all.find(alike) ?? all[index]);
  (found ?? element("main")).focus({ preventScroll: true });
}

// A form in which the reader is at work is not taken away.
function isEdited(part) {
  const isTyped = (input) => input.value !== input.defaultValue;
  const isAt = part.contains(document.activeElement) && document.activeElement.matches("input, select");
  return isAt || [...part.querySelectorAll("input[type=text]")].some(isTyped);
}

document.addEventListener("focusout", () => {
  setTimeout(() => {
    for (const [id, node] of waiting) {
      const old = element(id);
      if (old && isEdited(old)) continue;
      waiting.delete(id);
      if (old) replace(old, node);
    }
    document.dispatchEvent(new Event("exchanged"));
  }, 200);
});

function arrange(section, ids) {
  const parent = element(section);
  if (!parent) return;
  for (const child of [...parent.children]) if (!ids.includes(child.id)) child.remove();
  ids.forEach((id, i) => {
    const child = element(id);
    if (child && parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
}

function flash(node) {
  node.classList.add("changed");
  setTimeout(() => node.classList.remove("changed", "rose", "fell"), 4_000);
}

// Rows of a ranking glide to their new places.
const places = () => new Map([...document.querySelectorAll(".row[data-rank]")].map((row) => [row.id, row.getBoundingClientRect().top]));

function move(before) {
  if (calm.matches) return;
  for (const [id, top] of before) {
    const row = element(id);
    const by = row ? top - row.getBoundingClientRect().top : 0;
    if (Math.abs(by) > 1) row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: 600, easing: "ease-out" });
  }
}

// Said, and shown on a wall. The log keeps the last ones only.
function say(picture, changed) {
  const log = element("said");
  const sentences = picture.said.map((it) => it.subject + word(": ", "：") + (it.old ? `${it.old} → ${it.new}` : it.new));
  if (picture.more > 0) sentences.push(sentences.length ? word(`and ${picture.more} more changes`, `另有 ${picture.more} 项变动`) : word(`${picture.more} changes`, `${picture.more} 项变动`));
  for (const row of changed.filter((node) => node.matches(".rose, .fell"))) {
    const rank = row.dataset.rank;
    sentences.push(word(`${row.dataset.name} is now number ${rank}`, `${row.dataset.name}现居第 ${rank} 位`));
  }
  for (const sentence of sentences) {
    const line = document.createElement("p");
    line.textContent = sentence;
    log?.append(line);
  }
  while (log && log.children.length > 20) log.firstElementChild.remove();
  const ticker = element("ticker-text");
  if (ticker && sentences.length) {
    ticker.textContent = sentences.join(word(" · ", " · "));
    element("ticker").classList.add("changed");
    setTimeout(() => element("ticker")?.classList.remove("changed"), 6_000);
    const item = changed.find((node) => node.parentElement?.matches("#tiles, #ranking"));
    if (item) turnTo(item);
  }
}
