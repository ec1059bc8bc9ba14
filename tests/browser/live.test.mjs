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
