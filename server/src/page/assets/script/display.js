// What the pages do beyond showing: follow the record, walk a chart, travel in time, rotate on a wall.
// Everything can be read without it.

import { dressParts } from "./chart.js";
import { exchange } from "./parts.js";
import { UNSEEN, connect, disconnect, remember, show, stream, tick } from "./stream.js";
import { visit } from "./visit.js";
import { rotate, startWall } from "./wall.js";
import { element, root, wall, word } from "./words.js";

function dress() {
  dressParts();
  const pause = element("pause");
  if (pause?.hidden) {
    pause.hidden = false;
    pause.addEventListener("click", () => setPaused(!stream.paused));
  }
  if (pause) {
    pause.setAttribute("aria-pressed", String(stream.paused));
    pause.textContent = stream.paused ? word("Resume", "继续") : word("Pause", "暂停");
  }
  if (wall()) rotate(false);
  tick();
}

function setPaused(paused) {
  stream.paused = paused;
  stream.lostSince = 0;
  stream.caughtUp = false;
  connect();
  dress();
}

document.addEventListener("picture", (event) => exchange(event.detail));
document.addEventListener("exchanged", dress);
document.addEventListener("lacking", () => visit(location.href, false));

document.addEventListener("visibilitychange", () => {
  clearTimeout(stream.unseen);
  if (document.visibilityState === "visible") {
    if (!stream.source) connect();
  } else if (!wall()) {
    stream.unseen = setTimeout(() => {
      disconnect();
      stream.caughtUp = false;
      show();
    }, UNSEEN);
  }
});
addEventListener("online", () => connect());
addEventListener("pageshow", (event) => event.persisted && connect());
addEventListener("pagehide", disconnect);

root.classList.add("scripted");
remember();
dress();
if (wall()) startWall();
connect();
setInterval(tick, 1_000);
