// Readers who want it still.
import assert from "node:assert/strict";
import { test } from "node:test";
import { live, open, shows, words } from "./lib/browser.mjs";
import { builtIn } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

const server = Server.shared(builtIn);

test("nothing changes while updates are paused, and everything comes when they are resumed", async (t) => {
  const pages = [await open(t, server, "/regions/CN-SD?lang=en"), await open(t, server, "/changes?lang=en")];
  const control = await open(t, server, "/changes?lang=en");
  for (const page of [...pages, control]) await live(page);
  for (const page of pages) {
    await page.getByRole("button", { name: "Pause" }).click();
    await shows(page, "#state-text", "paused");
    // From here on, whatever changes is seen.
    await page.evaluate(() => {
      window.changes = [];
      const watch = new MutationObserver((records) => window.changes.push(...records.map((it) => it.target.id || it.target.nodeName)));
      for (const part of [document.querySelector("main"), document.querySelector("#said")]) {
        watch.observe(part, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "data-figure"] });
      }
    });
  }
  const streams = [];
  for (const page of pages) page.on("request", (request) => request.url().includes("/live/") && streams.push(request.url()));
  for (const value of ["301", "302", "303"]) await server.put("data-centers", "CN-SD", "2022", value, "--reason", `now ${value}`);
  await shows(control, ".commit .reason", "now 303");
  // The age of what is shown goes on; it is no news of the record.
  for (const page of pages) {
    const changed = await page.evaluate(() => window.changes.filter((it) => it !== "TIME"));
    assert.deepEqual(changed, []);
    assert.equal(await page.getByRole("button", { name: "Resume" }).getAttribute("aria-pressed"), "true");
  }
  assert.deepEqual(streams, []);
  for (const page of pages) {
    await page.getByRole("button", { name: "Resume" }).click();
    await live(page);
  }
  await shows(pages[0], "#tile-data_2d_centers", "303");
  for (const value of ["301", "302", "303"]) await shows(pages[1], ".commit .reason", `now ${value}`);
});

test("it is paused even where the connection was lost and the window comes back", async (t) => {
  const page = await open(t, server, "/regions/CN-SD?lang=en");
  await live(page);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.context().setOffline(true);
  await page.context().setOffline(false);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await shows(page, "#state-text", "paused");
  assert.match(await words(page, "#state"), /paused/);
});

for (const reducedMotion of ["reduce", "no-preference"]) {
  test(`a change moves where that is welcome: ${reducedMotion}`, async (t) => {
    const page = await open(t, server, "/rankings/5g-base-stations?lang=en", { reducedMotion });
    const [first, second] = reducedMotion === "reduce" ? ["111000", "90000"] : ["112000", "80000"];
    await server.put("5g-base-stations", "CN-JS", "2021-12-06", second);
    await shows(page, ".row", "Jiangsu");
    await live(page);
    await page.evaluate(() => {
      window.moved = 0;
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (...args) {
        window.moved += 1;
        return animate.apply(this, args);
      };
    });
    await server.put("5g-base-stations", "CN-JS", "2021-12-06", `1${first}`);
    await page.locator(".row.changed").first().waitFor();
    const running = await page.evaluate(() => ({ moved: window.moved, animations: document.getAnimations().length }));
    if (reducedMotion === "reduce") {
      assert.deepEqual(running, { moved: 0, animations: 0 });
      // It is marked all the same.
      assert.notEqual(await page.locator(".row.changed").first().evaluate((row) => getComputedStyle(row).outlineStyle), "none");
    } else {
      assert.ok(running.moved > 0 && running.animations > 0, JSON.stringify(running));
    }
  });
}
