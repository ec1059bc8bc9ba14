// What the pages do beyond showing: follow the record, walk a chart, travel in time, rotate on a wall.
// Everything can be read without it.
"use strict";

(() => {
  const root = document.documentElement;
  const zh = root.lang.startsWith("zh");
  const word = (en, chinese) => (zh ? chinese : en);
  const element = (id) => document.getElementById(id);
  const wall = () => root.classList.contains("wall");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // ---- The stream -------------------------------------------------------------------------------------------------

  // A connection that has been silent for longer is lost: the server says something every 10 seconds.
  const SILENCE = 25_000;
  // Between attempts: at random up to these, doubled each time.
  const FIRST_PAUSE = 500;
  const LONGEST_PAUSE = 15_000;
  // A page that nobody sees gives its connection back.
  const UNSEEN = 60_000;
  // A wall dims when its figures may be old.
  const STALE = 30_000;

  const stream = {
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

  function connect() {
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
    on("picture", (event) => (arrived(), exchange(JSON.parse(event.data))));
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

  function disconnect() {
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

  function show() {
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
  function tick() {
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

  function ago(then) {
    const seconds = Math.max(0, Math.round((Date.now() - then) / 1000));
    const units = [[86_400, "d", "天"], [3_600, "h", "小时"], [60, "min", "分钟"]];
    for (const [size, en, chinese] of units) {
      if (seconds >= size) {
        const count = Math.floor(seconds / size);
        return word(`${count} ${en} ago`, `${count} ${chinese}前`);
      }
    }
    return seconds < 5 ? word("just now", "刚刚") : word(`${seconds} s ago`, `${seconds} 秒前`);
  }

  // ---- Exchanging parts -------------------------------------------------------------------------------------------

  // Parts that wait until the reader has left them.
  const waiting = new Map();

  function exchange(picture) {
    document.title = document.title.replace(/^.*(?= · )/s, () => picture.title);
    const known = Object.keys(picture.order ?? {}).every((id) => element(id) || picture.order[id].length === 0);
    const changed = [];
    const before = places();
    if (!known) {
      // A section that was not there: the page as a whole.
      visit(location.href, false);
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
    dress();
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

  function trace(part, focused) {
    return { focused, index: [...part.querySelectorAll(FOCUSABLE)].indexOf(focused), itself: part === focused };
  }

  function refocus(part, { focused, index, itself }) {
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
      dress();
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
    if (picture.more > 0) sentences.push(word(`and ${picture.more} more changes`, `另有 ${picture.more} 项变动`));
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

  // ---- Going to another view without leaving the page -------------------------------------------------------------

  let visiting = null;

  async function visit(url, push = true) {
    visiting?.abort();
    const aborter = (visiting = new AbortController());
    try {
      const answer = await fetch(url, { signal: aborter.signal });
      if (answer.status === 401) return location.assign(url);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!page.getElementById("main") || !page.body.dataset.position) return location.assign(url);
      if (push) history.pushState(null, "", answer.url);
      document.title = page.title;
      for (const key of ["live", "position"]) {
        if (page.body.dataset[key] === undefined) delete document.body.dataset[key];
        else document.body.dataset[key] = page.body.dataset[key];
      }
      const main = element("main");
      const focused = main.contains(document.activeElement) ? trace(main, document.activeElement) : null;
      main.replaceWith(page.getElementById("main"));
      element("state")?.replaceWith(page.getElementById("state"));
      document.querySelector("nav.manner")?.replaceWith(page.querySelector("nav.manner"));
      waiting.clear();
      dress();
      connect();
      if (focused) refocus(element("main"), focused);
    } catch (error) {
      if (error.name !== "AbortError") location.assign(url);
    }
  }

  function submit(form) {
    const url = new URL(form.action);
    const fields = new FormData(form);
    for (const [name, value] of fields) if (value !== "" || name === "wall") url.searchParams.append(name, value);
    visit(url.href);
  }

  addEventListener("popstate", () => visit(location.href, false));

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.controls")) return;
    event.preventDefault();
    submit(event.target);
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form.controls");
    if (form && event.target.matches("select, input[type=checkbox]")) submit(form);
  });

  // ---- Charts ------------------------------------------------------------------------------------------------------

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

  function dressParts() {
    for (const svg of document.querySelectorAll("svg.chart:not([data-dressed])")) dressChart(svg);
    for (const select of document.querySelectorAll("select.dates:not([data-dressed])")) dressDates(select);
    for (const button of document.querySelectorAll("button.png[hidden]")) {
      button.hidden = false;
      button.addEventListener("click", () => savePng(button.dataset.svg));
    }
  }

  function setPaused(paused) {
    stream.paused = paused;
    stream.lostSince = 0;
    stream.caughtUp = false;
    connect();
    dress();
  }

  // The figures of one period, under the pointer or walked to by arrow keys.
  function dressChart(svg) {
    svg.dataset.dressed = "";
    const slots = [...svg.querySelectorAll(".slot")];
    const tooltip = svg.closest("figure")?.querySelector(".tooltip");
    if (!slots.length || !tooltip) return;
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("aria-describedby", tooltip.id);
    tooltip.setAttribute("role", "status");
    let at = -1;
    const pick = (i) => {
      slots[at]?.classList.remove("picked");
      at = Math.min(Math.max(i, -1), slots.length - 1);
      const slot = slots[at];
      tooltip.hidden = !slot;
      if (!slot) return;
      slot.classList.add("picked");
      tooltip.textContent = slot.dataset.words;
    };
    // The browser's own tooltip would come on top of ours.
    for (const slot of slots) slot.querySelector("title")?.remove();
    svg.addEventListener("pointermove", (event) => {
      const slot = event.target.closest?.(".slot");
      if (slot) pick(slots.indexOf(slot));
    });
    svg.addEventListener("pointerleave", () => document.activeElement !== svg && pick(-1));
    svg.addEventListener("pick", (event) => pick(slots.findIndex((slot) => slot.dataset.period === event.detail)));
    svg.addEventListener("blur", () => pick(-1));
    svg.addEventListener("focus", () => at < 0 && pick(slots.length - 1));
    svg.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: slots.length - 1, PageUp: at - 10, PageDown: at + 10 };
      if (event.key === "Escape") return pick(-1);
      if (!(event.key in steps)) return;
      event.preventDefault();
      pick(Math.max(0, steps[event.key]));
    });
  }

  // The dates of a list as a slider: left is long ago, right is now.
  function dressDates(select) {
    select.dataset.dressed = "";
    const options = [...select.options];
    if (options.length < 3) return;
    const slider = document.createElement("input");
    slider.type = "range";
    slider.className = "slider";
    slider.name = "";
    slider.id = "travel-slider";
    slider.min = "0";
    slider.max = String(options.length - 1);
    const tell = () => {
      const option = options[options.length - 1 - Number(slider.value)];
      slider.setAttribute("aria-valuetext", option.textContent);
      return option;
    };
    slider.value = String(options.length - 1 - select.selectedIndex);
    slider.setAttribute("aria-label", word("As known on", "截至"));
    tell();
    let soon = 0;
    slider.addEventListener("input", () => {
      select.value = tell().value;
      clearTimeout(soon);
      soon = setTimeout(() => select.form && submit(select.form), 200);
    });
    select.after(slider);
  }

  async function savePng(url) {
    const svg = await (await fetch(url)).text();
    const source = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth * 2;
    canvas.height = image.naturalHeight * 2;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(source);
    canvas.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = "chart.png";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }, "image/png");
  }

  // ---- The wall ----------------------------------------------------------------------------------------------------

  const TURN = 12_000;
  let page = 0;
  let turning = 0;

  // The items that fit are shown, then the next ones.
  function rotate(turn) {
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

  function turnTo(item) {
    page = paged(item.parentElement).findIndex((items) => items.includes(item));
    rotate(false);
    clearInterval(turning);
    turning = setInterval(() => rotate(true), TURN);
  }

  function startWall() {
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

  // ---- Beginning ---------------------------------------------------------------------------------------------------

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
  dress();
  if (wall()) startWall();
  connect();
  setInterval(tick, 1_000);
})();
