// What happens on an open page when the record changes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { live, open, shows } from "./lib/browser.mjs";
import { builtIn } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

const STATIONS = "#tile-5g_2d_base_2d_stations";

test("a figure written over gRPC appears without a reload, flashes, and is said", async (t) => {
  const server = await Server.start(t);
  await builtIn(server);
  const page = await open(t, server, "/regions/CN-SD?lang=en");
  await live(page);
  await page.evaluate((tile) => {
    window.marker = "not loaded again";
    new MutationObserver(() => document.querySelector(tile)?.textContent.includes("150,000") && (window.seen ??= Date.now())).observe(
      document.body,
      { childList: true, subtree: true },
    );
  }, STATIONS);
  await server.put("5g-base-stations", "CN-SD", "2022-12-31", ">150000", "--reason", "a newer report");
  const written = Date.now();
  await shows(page, STATIONS, "> 150,000");
  t.diagnostic(`seen ${(await page.evaluate("window.seen")) - written} ms after the answer to the write`);
  const animation = await page.locator(STATIONS).evaluate((tile) => getComputedStyle(tile).animationName);
  assert.equal(animation, "flash");
  await shows(page, "#said[role=log][aria-live=polite] p", "5G base stations");
  await shows(page, "#said p", "> 150,000");
  await shows(page, "#last-change", "just now");
  assert.equal(await page.evaluate("window.marker"), "not loaded again");
  // It goes out again.
  await page.locator(`${STATIONS}.changed`).waitFor({ state: "detached" });
});

test("after the server was killed and started again, a page misses nothing", async (t) => {
  const server = await Server.start(t);
  await builtIn(server);
  const overview = await open(t, server, "/regions/CN-SD?lang=en");
  const changes = await open(t, server, "/changes?lang=en");
  for (const page of [overview, changes]) {
    await live(page);
    await page.evaluate(() => (window.marker = "not loaded again"));
  }
  const before = await changes.locator(".commit").evaluateAll((rows) => rows.map((row) => row.id));
  // The pages come back when all is written, not before.
  for (const page of [overview, changes]) await page.context().route("**/live/**", (route) => route.abort());
  await server.kill();
  for (const page of [overview, changes]) {
    await page.locator('#state[data-state="lost"]').waitFor();
    await shows(page, "#state-text", "lost since");
    assert.equal(await page.locator("#state-text").isVisible(), true);
  }
  await server.startAgain();
  for (const value of ["110000", ">120000", "130000"]) {
    await server.put("5g-base-stations", "CN-SD", "2021-12-06", value, "--reason", `it is ${value}`);
  }
  for (const page of [overview, changes]) await page.context().unroute("**/live/**");
  for (const page of [overview, changes]) await live(page);
  await shows(overview, STATIONS, "130,000");
  await shows(changes, ".commit .reason", "it is 130000");
  const rows = await changes.locator(".commit").evaluateAll((rows) => rows.map((row) => row.id));
  const newest = Number(before[0].replace("commit-", ""));
  const expected = [3, 2, 1].map((more) => `commit-${newest + more}`).concat(before);
  assert.deepEqual(rows, expected);
  const reasons = await changes.locator(".commit .reason").allInnerTexts();
  assert.deepEqual(reasons.slice(0, 3), ["it is 130000", "it is >120000", "it is 110000"]);
  await shows(changes, `#${expected[0]}`, "> 120,000 stations → 130,000 stations");
  const told = await overview.locator("#said p").allInnerTexts();
  // And after another cut nothing is told again.
  await server.kill();
  await overview.locator('#state[data-state="lost"]').waitFor();
  await server.startAgain();
  await server.put("5g-base-stations", "CN-SD", "2021-12-06", "140000");
  await shows(overview, "#said p", "→ 140,000 stations");
  const after = await overview.locator("#said p").allInnerTexts();
  assert.deepEqual(after.slice(0, told.length), told);
  assert.equal(after.length, told.length + 1, JSON.stringify(after));
  for (const page of [overview, changes]) assert.equal(await page.evaluate("window.marker"), "not loaded again");
});

test("a section that was not there before appears too", async (t) => {
  const server = await Server.start(t);
  await builtIn(server);
  const page = await open(t, server, "/regions/CN-SD/data-centers?lang=en");
  await live(page);
  assert.equal(await page.locator("#neighbours").count(), 0);
  await server.put("data-centers", "CN-JS", "2021-12-06", "300");
  await shows(page, "#neighbours .row", "Jiangsu");
});

test("a ranking says who moved, and moves them", async (t) => {
  const server = await Server.start(t);
  await builtIn(server);
  await server.put("5g-base-stations", "CN-JS", "2021-12-06", "90000");
  const page = await open(t, server, "/rankings/5g-base-stations?lang=en");
  await live(page);
  const order = () => page.locator(".row .name").allInnerTexts();
  assert.deepEqual(await order(), ["Shandong", "Jiangsu"]);
  await server.put("5g-base-stations", "CN-SD", "2021-12-06", "80000");
  await shows(page, "#said p", "Jiangsu is now number 1");
  assert.deepEqual(await order(), ["Jiangsu", "Shandong"]);
  assert.ok(await page.locator(".row.rose", { hasText: "Jiangsu" }).count());
});

test("two windows are told of a change, each in its language", async (t) => {
  const server = await Server.start(t);
  await builtIn(server);
  const pages = [await open(t, server, "/regions/CN-SD?lang=en"), await open(t, server, "/regions/CN-SD?lang=zh")];
  for (const page of pages) await live(page);
  await server.put("data-centers", "CN-SD", "2022", "250");
  await shows(pages[0], "#tile-data_2d_centers", "250");
  await shows(pages[1], "#tile-data_2d_centers", "250");
  await shows(pages[1], "#said", "数据中心");
});
