// Every state is in the address: a link is a saved view.
import assert from "node:assert/strict";
import { test } from "node:test";
import { focused, live, open, shows, words } from "./lib/browser.mjs";
import { full } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

const server = Server.shared(full);
const INDICATOR = "/regions/CN-SD/regional-gdp?lang=en";

// What is chosen, what is then in the address, and what is then seen.
const CHOICES = {
  "a transform": [(page) => page.selectOption("select[name=transform]", "year-on-year"), /transform=year-on-year/, "#plot figcaption", "Year on year"],
  "a scale": [(page) => page.selectOption("select[name=scale]", "log"), /scale=log/, "#plot figcaption", "logarithmic"],
  "a source": [(page) => page.selectOption("select[name=source]", "local-media"), /source=local-media/, "#head .figure", "7.8 trillion yuan"],
  "a region": [(page) => compare(page, "Zhejiang"), /with=CN-ZJ|with=Zhejiang/, ".drawing.wide .label", "Zhejiang"],
  "a period": [(page) => from(page, "2018"), /from=2018/, ".drawing.wide .ticks.x", "2018"],
  "a day in the past": [(page) => page.selectOption("select[name=as_of]", "2019-01-31"), /as_of=2019-01-31/, "#head .figure", "6.66 trillion yuan"],
  "an earlier state beside it": [overlay, /vintages=2016-01-31/, ".drawing.wide .vintage .label", "as of 31 Jan 2016"],
};

async function compare(page, region) {
  await page.fill("input[name=with]", region);
  await page.keyboard.press("Enter");
}

async function from(page, period) {
  await page.fill("input[name=from]", period);
  await page.click("#controls button[type=submit]");
}

async function overlay(page) {
  await page.click(".overlay summary");
  await page.check('input[value="2016-01-31"]');
}

/// Waits until the chart is this one.
async function settles(page, plot) {
  await page.waitForFunction((text) => document.querySelector("#plot").innerText.replace(/\s+/g, " ").trim() === text, plot);
}

for (const [what, [choose, address, where, shown]] of Object.entries(CHOICES)) {
  test(`${what} that is chosen is in the address; a reload and a link show the same, and Back what was before`, async (t) => {
    const page = await open(t, server, INDICATOR);
    await live(page);
    await page.evaluate(() => (window.marker = "not loaded again"));
    const before = await words(page, "#plot");
    const past = /past/.test(what);
    await choose(page);
    await page.waitForURL(address);
    await shows(page, where, shown);
    assert.equal(await page.evaluate("window.marker"), "not loaded again");
    await (past ? page.locator('#state[data-state="past"]').waitFor() : live(page));
    const seen = { plot: await words(page, "#plot"), head: await words(page, "#head h1, #head .figure, #head .past") };
    const again = async () => {
      await settles(page, seen.plot);
      assert.deepEqual({ plot: await words(page, "#plot"), head: await words(page, "#head h1, #head .figure, #head .past") }, seen);
    };
    await page.reload();
    await again();
    const url = page.url();
    await page.goBack();
    await page.waitForURL((url) => !address.test(url.search));
    await settles(page, before);
    await page.goForward();
    await page.waitForURL(address);
    await again();
    const other = await open(t, server, url);
    await shows(other, where, shown);
    assert.equal(await words(other, "#plot"), seen.plot);
  });
}

test("the slider of time travel goes by keys, and back to now", async (t) => {
  const page = await open(t, server, INDICATOR);
  await live(page);
  await page.locator(".slider").focus();
  await page.keyboard.press("ArrowLeft");
  await page.waitForURL(/as_of=2021-01-31/);
  await shows(page, "#head .past", "31 Jan 2021");
  assert.equal((await focused(page)).class, "slider");
  assert.equal(await page.locator(".slider").getAttribute("aria-valuetext"), "31 Jan 2021");
  await page.keyboard.press("ArrowLeft");
  await page.waitForURL(/as_of=2019-01-31/);
  await shows(page, "#head .figure", "6.66 trillion yuan");
  await page.keyboard.press("Home");
  await page.waitForURL(/as_of=2016-01-31/);
  await shows(page, "#head .figure", "5.53 trillion yuan");
  await page.keyboard.press("End");
  await page.waitForURL((url) => !url.searchParams.has("as_of"));
  await shows(page, "#head .figure", "7.28 trillion yuan");
  await live(page);
});

test("a region that is not there is told, and what is known is shown", async (t) => {
  const page = await open(t, server, INDICATOR);
  await live(page);
  await compare(page, "Jiangsu, Atlantis");
  await shows(page, "#unknown-regions", "Atlantis");
  await shows(page, ".drawing.wide .label", "Jiangsu");
});

test("a ranking of another period and order is a link too", async (t) => {
  const page = await open(t, server, "/rankings/regional-gdp?lang=en");
  await live(page);
  await page.selectOption("select[name=period]", "2015");
  await page.waitForURL(/period=2015/);
  await shows(page, ".row", "Guangdong");
  await page.selectOption("select[name=order]", "least-first");
  await page.waitForURL(/order=least-first/);
  await page.waitForFunction(() => document.querySelector(".row .name")?.textContent.trim() === "Beijing");
  await page.reload();
  assert.equal(await page.locator(".row .name").first().innerText(), "Beijing");
});
