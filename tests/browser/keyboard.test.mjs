// Everything by keyboard alone, and a focus that is never lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { focused, live, open, shows } from "./lib/browser.mjs";
import { full, inLanguage, SCREENS } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

const server = Server.shared(full);
const INDICATOR = "/regions/CN-SD/regional-gdp?lang=en";

/// Goes on by Tab until the focus is where it is wanted.
async function tabTo(page, selector) {
  for (let i = 0; i < 200; i += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
  }
  assert.fail(`Tab does not lead to ${selector}`);
}

test("a reader comes by keys alone from the first page to a chart of two regions", async (t) => {
  const page = await open(t, server, "/regions/CN-SD?lang=en");
  await live(page);
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).text, "Skip to the figures");
  await page.waitForFunction(() => document.activeElement.getBoundingClientRect().top >= 0);
  await page.keyboard.press("Enter");
  assert.equal((await focused(page)).id, "main");
  // After it, the figures come next.
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.getElementById("main").contains(document.activeElement)));

  await page.goto("/regions/CN-SD?lang=en");
  await tabTo(page, "#q");
  await page.keyboard.type("gross regional");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/search\?/);
  await tabTo(page, ".hits a");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/(rankings|regions)\//);

  await page.goto("/regions/CN-SD?lang=en");
  await live(page);
  await tabTo(page, "#tile-regional_2d_gdp a");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/regions\/CN-SD\/regional-gdp/);
  await live(page);

  await tabTo(page, "select[name=scale]");
  await page.keyboard.press("ArrowDown");
  await page.waitForURL(/scale=log/);
  await page.waitForFunction(() => document.activeElement.name === "scale" && document.activeElement.value === "log");
  await tabTo(page, "input[name=with]");
  await page.keyboard.type("Jiangsu");
  await page.keyboard.press("Enter");
  await page.waitForURL(/with=/);
  await shows(page, ".drawing.wide .line-1 .label", "Jiangsu");
  assert.equal((await focused(page)).name, "with");

  await tabTo(page, "svg.chart");
  await page.keyboard.press("End");
  await shows(page, "#tooltip", "Jiangsu: 10.28 trillion yuan");
  await page.keyboard.press("ArrowLeft");
  await shows(page, "#tooltip", "Jiangsu: 9.87 trillion yuan");
});

test("a box among several that is ticked by keys keeps the focus", async (t) => {
  const page = await open(t, server, INDICATOR);
  await live(page);
  await tabTo(page, ".overlay summary");
  await page.keyboard.press("Enter");
  await tabTo(page, 'input[name=vintages][value="2016-01-31"]');
  await page.keyboard.press("Space");
  await page.waitForURL(/vintages=2016-01-31/);
  await page.waitForFunction(() => document.activeElement.value === "2016-01-31" && document.activeElement.checked);
});

test("updates are paused and resumed by keys", async (t) => {
  const page = await open(t, server, INDICATOR);
  await live(page);
  await tabTo(page, "#pause");
  await page.keyboard.press("Space");
  await page.locator('#state[data-state="paused"]').waitFor();
  assert.equal((await focused(page)).id, "pause");
  await page.keyboard.press("Space");
  await live(page);
});

for (const [name, path] of Object.entries(SCREENS)) {
  test(`what has the focus is seen at every stop of a walk: ${name}`, async (t) => {
    const page = await open(t, server, inLanguage(path, "en"));
    const stops = new Set();
    for (let i = 0; i < 400; i += 1) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const node = document.activeElement;
        if (node === document.body) return null;
        node.dataset.stop ??= String((window.stops = (window.stops ?? 0) + 1));
        const style = getComputedStyle(node);
        const box = node.getBoundingClientRect();
        const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
        const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
        return { stop: node.dataset.stop, what: node.outerHTML.slice(0, 100), inside, outlined };
      });
      if (stop === null || stops.has(stop.stop)) break;
      stops.add(stop.stop);
      assert.ok(stop.inside && stop.outlined, JSON.stringify(stop));
    }
    assert.ok(stops.size > 0 || name === "wall", "there are stops");
    assert.ok(stops.size < 400, "the walk ends");
  });
}

test("the focus stays where it is when parts are exchanged", async (t) => {
  const page = await open(t, server, "/regions/CN-SD?lang=en");
  await live(page);
  await page.locator("#tile-data_2d_centers a").focus();
  await server.put("data-centers", "CN-SD", "2022", "260");
  await shows(page, "#tile-data_2d_centers", "260");
  assert.ok((await focused(page)).href?.includes("/data-centers"));

  await page.goto(INDICATOR);
  await live(page);
  await page.locator(".drawing.wide svg").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await shows(page, "#tooltip", "2011");
  await server.put("regional-gdp", "CN-SD", "2021", "8300000000000", "--source", "nbs");
  await shows(page, "#head .figure", "8.3 trillion yuan");
  assert.equal((await focused(page)).tag, "svg");
  await shows(page, "#tooltip", "2011");
  await page.keyboard.press("ArrowRight");
  await shows(page, "#tooltip", "2012");

  const fold = page.locator("#table summary");
  await fold.focus();
  await page.keyboard.press("Enter");
  await server.put("regional-gdp", "CN-SD", "2021", "8400000000000", "--source", "nbs");
  await shows(page, "#table", "8,400,000,000,000 yuan");
  assert.equal((await focused(page)).tag, "summary");
  assert.equal(await page.locator("details#table").evaluate((fold) => fold.open), false, "it stays as the reader left it");

  await page.goto("/changes?lang=en");
  await live(page);
  const first = page.locator(".commit a").first();
  const href = await first.getAttribute("href");
  await first.focus();
  await server.put("data-centers", "CN-SD", "2022", "261", "--reason", "one more");
  await shows(page, ".commit .reason", "one more");
  assert.ok((await focused(page)).href?.endsWith(href));

  // A row that moves.
  await page.goto("/rankings/regional-gdp?lang=en");
  await live(page);
  await page.locator(".row .name", { hasText: "Zhejiang" }).focus();
  await server.put("regional-gdp", "CN-ZJ", "2022", "20000000000000", "--source", "nbs");
  await page.waitForFunction(() => document.querySelector(".row .name").textContent.trim() === "Zhejiang");
  assert.equal((await focused(page)).text, "Zhejiang");
});

test("what is being typed is not taken away, and what came meanwhile is shown after", async (t) => {
  const page = await open(t, server, INDICATOR);
  await live(page);
  await page.locator("input[name=from]").focus();
  await page.keyboard.type("20");
  // With a day of publication that the list of days has not.
  await server.put("regional-gdp", "CN-SD", "2022", "8700000000000", "--source", "nbs", "--published-at", "2023-01-31");
  await shows(page, "#head .figure", "8.7 trillion yuan");
  await page.keyboard.type("15");
  assert.equal((await focused(page)).name, "from");
  assert.equal(await page.locator("input[name=from]").inputValue(), "2015");
  // Nor on the way to the next field.
  await page.keyboard.press("Tab");
  await page.keyboard.type("2020");
  await page.locator("#controls button[type=submit]").focus();
  await server.put("regional-gdp", "CN-SD", "2022", "8710000000000", "--source", "nbs", "--published-at", "2023-02-28");
  await shows(page, "#head .figure", "8.71 trillion yuan");
  assert.equal(await page.locator("input[name=from]").inputValue(), "2015");
  assert.equal(await page.locator("input[name=to]").inputValue(), "2020");
  await page.keyboard.press("Enter");
  await page.waitForURL(/from=2015&to=2020/);
  await page.locator('select[name=as_of] option[value="2023-02-28"]').waitFor({ state: "attached" });
});

test("what came while a field had the focus is shown when it is left", async (t) => {
  const page = await open(t, server, INDICATOR);
  await live(page);
  await page.locator("input[name=from]").focus();
  await server.put("regional-gdp", "CN-SD", "2022", "8720000000000", "--source", "nbs", "--published-at", "2023-03-31");
  await shows(page, "#head .figure", "8.72 trillion yuan");
  assert.equal(await page.locator('select[name=as_of] option[value="2023-03-31"]').count(), 0);
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).name, "to");
  await page.locator("#main").focus();
  await page.locator('select[name=as_of] option[value="2023-03-31"]').waitFor({ state: "attached" });
});
