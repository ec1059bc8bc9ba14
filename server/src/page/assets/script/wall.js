// A display on a wall: turns through what there is, and to what has changed.

import { element, root } from "./words.js";

const TURN = 12_000;
let page = 0;
let turning = 0;

// The items that fit are shown, then the next ones.
export function rotate(turn) {
  const list = element("tiles") ?? element("ranking") ?? element("log");
  if (!list) return;
  const pages = paged(list);
  if (turn) page += 1;
  page %= pages.length;
  pages.forEach((items, i) => items.forEach((item) => (item.hidden = i !== page)));
  for (const tile of list.querySelectorAll(".tile:not([hidden])")) {
    tile.classList.remove("tight");
    const words = tile.querySelector(".spark");
    tile.classList.toggle("tight", Boolean(words) && words.scrollHeight > words.clientHeight);
  }
}

// The items of a list, page by page. Tiles and rows grow to fill the room; entries of the log are as they are.
function paged(list) {
  const items = [...list.children];
  for (const item of items) item.hidden = false;
  list.style.height = "auto";
  const room = innerHeight - (element("ticker")?.offsetHeight ?? 0) - list.getBoundingClientRect().top - 16;
  if (list.id === "log") return inTurn(items, room);
  const { minWidth, minHeight } = getComputedStyle(items[0]);
  const gap = parseFloat(getComputedStyle(list).rowGap) || 0;
  const count = (all, least) => Math.max(1, Math.floor((all + gap) / (least + gap)));
  const isTiles = list.id === "tiles";
  const fit = isTiles
    ? count(list.clientWidth, parseFloat(minWidth) || list.clientWidth) * count(room, parseFloat(minHeight) || items[0].offsetHeight)
    : count(room - 16, Math.max(...items.map((item) => item.offsetHeight)));
  list.style.height = `${room}px`;
  // No page has one alone while the others are full.
  const each = Math.ceil(items.length / Math.ceil(items.length / fit));
  return Array.from({ length: Math.ceil(items.length / each) }, (_, i) => items.slice(i * each, (i + 1) * each));
}

function inTurn(items, room) {
  const pages = [];
  let left = 0;
  for (const item of items) {
    const { height } = item.getBoundingClientRect();
    if (!pages.length || height > left) {
      pages.push([]);
      left = room - 16;
    }
    pages.at(-1).push(item);
    left -= height;
  }
  return pages;
}

export function turnTo(item) {
  page = paged(item.parentElement).findIndex((items) => items.includes(item));
  rotate(false);
  clearInterval(turning);
  turning = setInterval(() => rotate(true), TURN);
}

export function startWall() {
  scrollTo(0, 0);
  rotate(false);
  turning = setInterval(() => rotate(true), TURN);
  addEventListener("resize", () => rotate(false));
  const leave = new URL(document.body.dataset.live ?? location.href, location.href);
  leave.searchParams.delete("wall");
  addEventListener("keydown", (event) => event.key === "Escape" && location.assign(leave.href));
  let idle = 0;
  const stir = () => {
    root.classList.remove("idle");
    clearTimeout(idle);
    idle = setTimeout(() => root.classList.add("idle"), 3_000);
  };
  addEventListener("pointermove", stir);
  stir();
  const wake = () => navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake());
  wake();
}
