// A display on the wall that nobody attends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { live, open, shows, window } from "./lib/browser.mjs";
import { builtIn, full } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

const HOUR = 3_600_000;
// Shorter than the silence that a page takes for a loss. Whatever is due in a step is done once in it.
const STEP = 24_000;
// Of each hour; then the machine sleeps, and the page is to come back by itself.
const AWAKE = 50 * STEP;

const shown = (page) => page.locator("#tiles > :visible").evaluateAll((tiles) => tiles.map((tile) => tile.id));

/// Lets time go on until the page follows the record again.
async function comesBack(page) {
  const back = async () => (await page.locator("#state").getAttribute("data-state")) === "live";
  for (let i = 0; i < 500 && !(await back()); i += 1) await page.clock.fastForward(1_000);
  await live(page);
}

/// What the page holds after everything that can be given back was.
async function held(page, session) {
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (name) => metrics.find((it) => it.name === name).value;
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  return { elements: nodes, nodes: of("Nodes"), listeners: of("JSEventListeners"), heap: of("JSHeapUsedSize") };
}

test("a day on the wall: it turns, tells changes, comes back, and grows no heavier", async (t) => {
  const server = await Server.start(t);
  await builtIn(server);
  const context = await window(t, server, { viewport: { width: 1920, height: 1080 } });
  const page = await context.newPage();
  await page.clock.install();
  // The server says something every 10 seconds of real time; here a day takes a minute.
  await page.addInitScript(() => {
    window.streams = [];
    window.EventSource = class extends window.EventSource {
      constructor(url) {
        super(url);
        window.streams.push(this);
      }
    };
    window.openStreams = () => (window.streams = window.streams.filter((it) => it.readyState !== EventSource.CLOSED));
    setInterval(() => window.openStreams().forEach((it) => it.readyState === EventSource.OPEN && it.dispatchEvent(new MessageEvent("beat"))), 10_000);
  });
  await page.goto("/regions/CN-SD?wall&lang=en");
  await live(page);
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");

  const seen = new Set();
  let turns = 0;
  let last = "";
  let value = 205;
  let start = null;
  for (let hour = 0; hour < 24; hour += 1) {
    for (let at = 0; at < AWAKE; at += STEP) {
      await page.clock.fastForward(STEP);
      if (at % (5 * STEP) !== 0) continue;
      const now = await shown(page);
      now.forEach((id) => seen.add(id));
      if (now.join() !== last) turns += 1;
      last = now.join();
    }
    for (let change = 0; change < 2; change += 1) {
      value += 1;
      await server.put("data-centers", "CN-SD", "2022", String(value));
      await shows(page, "#ticker-text", `${value} data centers`);
      assert.ok((await shown(page)).includes("tile-data_2d_centers"), "it turns to what has changed");
      assert.equal(await page.locator("#tile-data_2d_centers.changed").count(), 1);
      assert.equal(await page.locator("#ticker.changed").count(), 1);
      await page.clock.fastForward(STEP);
    }
    if (hour === 1) start = await held(page, session);
    await page.clock.fastForward(HOUR - AWAKE - 2 * STEP);
    await comesBack(page);
  }
  const tiles = await page.locator("#tiles > *").count();
  assert.equal(seen.size, tiles, "every tile was shown");
  assert.ok(turns > 100, `it turned: ${turns}`);
  await page.clock.fastForward(STEP);
  const end = await held(page, session);
  t.diagnostic(`after 2 hours ${JSON.stringify(start)}, after 24 ${JSON.stringify(end)}`);
  assert.ok(end.elements <= start.elements + 25, "elements");
  assert.ok(end.nodes <= start.nodes * 1.1 + 200, "nodes");
  assert.ok(end.listeners <= start.listeners + 5, "listeners");
  assert.ok(end.heap <= start.heap * 1.2 + 500_000, "heap");
  assert.equal(await page.evaluate(() => window.openStreams().length), 1);

  // The server is away: it says so, and dims when its figures may be old.
  await server.kill();
  await page.locator('#state[data-state="lost"]').waitFor();
  assert.equal(await page.locator("html.stale").count(), 0);
  for (let i = 0; i < 4; i += 1) await page.clock.fastForward(10_000);
  await page.locator("html.stale").waitFor();
  assert.ok(Number(await page.locator("main").evaluate((main) => getComputedStyle(main).opacity)) < 0.5);
  await server.startAgain();
  await server.put("data-centers", "CN-SD", "2022", "999");
  await comesBack(page);
  await shows(page, "#tile-data_2d_centers", "999");
  await shows(page, "#ticker-text", "999 data centers");
  assert.equal(await page.locator("html.stale").count(), 0);
  assert.equal(await page.evaluate(() => window.openStreams().length), 1);

  await page.keyboard.press("Escape");
  await page.waitForURL((url) => !url.searchParams.has("wall"));
  await shows(page, ".tile", "data centers");
});

const server = Server.shared(full);
for (const [width, height] of [[1280, 720], [1920, 1080], [3840, 2160], [1080, 1920]]) {
  test(`tiles fill a wall of ${width} × ${height}, and no text of them is cut`, async (t) => {
    const page = await open(t, server, "/", { viewport: { width, height } });
    for (const path of ["/regions/CN-SD?wall&lang=en", "/regions/CN-SD?wall&lang=zh"]) {
      await page.clock.install();
      await page.goto(path);
      await live(page);
      const first = (await shown(page)).join();
      do {
        const cut = await page.evaluate(() => {
          const tiles = [...document.querySelectorAll("#tiles > :not([hidden])")];
          const inside = (box, room) => box.left >= room.left - 1 && box.right <= room.right + 1 && box.top >= room.top - 1 && box.bottom <= room.bottom + 1;
          const visible = (node) => node.checkVisibility() && node.getClientRects().length;
          const out = [];
          for (const tile of tiles) {
            const room = tile.getBoundingClientRect();
            for (const node of tile.querySelectorAll("*")) {
              if (!visible(node) || node.closest("svg") !== (node.tagName === "svg" ? node : null)) continue;
              const range = document.createRange();
              range.selectNodeContents(node);
              const isText = [...node.childNodes].some((it) => it.nodeType === 3 && it.data.trim());
              const box = isText ? range.getBoundingClientRect() : node.getBoundingClientRect();
              if (!inside(box, room)) out.push(`${tile.id} ${node.className} ${node.textContent.slice(0, 60)}`);
            }
            // Nor does one part lie on the next.
            const parts = [...tile.children].filter(visible).map((part) => [part, part.getBoundingClientRect()]);
            parts.slice(1).forEach(([part, box], i) => {
              if (box.top < parts[i][1].bottom - 2) out.push(`${tile.id} ${part.className} lies on what is above it`);
            });
            const words = tile.querySelector(".spark");
            if (words.scrollHeight > words.clientHeight + 2) out.push(`${tile.id}: its words have no room`);
          }
          const list = document.querySelector("#tiles").getBoundingClientRect();
          const area = tiles.reduce((sum, tile) => sum + tile.offsetWidth * tile.offsetHeight, 0);
          const bottom = document.querySelector("#ticker").getBoundingClientRect().top;
          return { out, filled: area / (list.width * list.height), below: (bottom - list.bottom) / innerHeight };
        });
        assert.deepEqual(cut.out, [], path);
        assert.ok(cut.filled > 0.85, `${cut.filled} of the room is filled`);
        assert.ok(cut.below >= 0 && cut.below < 0.05, `${cut.below} of the screen is empty below`);
        await page.clock.fastForward(12_000);
      } while ((await shown(page)).join() !== first);
    }
  });
}

for (const path of ["/rankings/regional-gdp?wall&lang=en", "/changes?wall&lang=zh", "/regions/CN-SD/regional-gdp?with=CN-JS,CN-GD&wall&lang=zh"]) {
  test(`nothing on a wall is hidden behind its edge or its ticker: ${path}`, async (t) => {
    const page = await open(t, server, path, { viewport: { width: 1920, height: 1080 } });
    await live(page);
    const over = await page.evaluate(() => {
      const bottom = document.querySelector("#ticker").getBoundingClientRect().top;
      const all = [...document.querySelectorAll("main .head *, main li, main svg.chart")].filter((node) => node.checkVisibility());
      const out = all.filter((node) => node.getBoundingClientRect().bottom > bottom + 1 || node.getBoundingClientRect().right > innerWidth);
      return { count: all.length, out: out.map((node) => node.outerHTML.slice(0, 100)) };
    });
    assert.ok(over.count > 3);
    assert.deepEqual(over.out, []);
  });
}
