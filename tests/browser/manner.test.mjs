// Languages, themes, and pages without what they could have: a network beyond the server, a script, room.
import assert from "node:assert/strict";
import { test } from "node:test";
import { live, open, shows, words } from "./lib/browser.mjs";
import { full, inLanguage, SCREENS } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

const server = Server.shared(full);
const INDICATOR = "/regions/CN-SD/regional-gdp";

for (const [locale, lang, title, other, otherTitle] of [
  ["en-GB", "en", "Gross regional product", "中文", "地区生产总值"],
  ["zh-CN", "zh-Hans", "地区生产总值", "English", "Gross regional product"],
]) {
  test(`a browser is answered in its language, and a switch leads to the other: ${locale}`, async (t) => {
    const page = await open(t, server, INDICATOR, { locale });
    await live(page);
    assert.equal(await page.locator("html").getAttribute("lang"), lang);
    await shows(page, "h1", title);
    await page.getByRole("link", { name: other, exact: true }).click();
    await shows(page, "h1", otherTitle);
    await live(page);
    await page.locator(".trail a").first().click();
    await page.waitForURL(/\/regions\/CN\?/);
    assert.notEqual(await page.locator("html").getAttribute("lang"), lang, "it stays");
  });
}

test("nothing of the other language is left on a page of either", async (t) => {
  const page = await open(t, server, "/");
  for (const path of Object.values(SCREENS)) {
    await page.goto(inLanguage(path, "en"));
    // The switch is in the other language, and so are words of a source.
    const english = await page.evaluate(() => {
      for (const node of document.querySelectorAll("[lang]:not(html), q, blockquote, select")) node.remove();
      return document.body.innerText;
    });
    assert.doesNotMatch(english, /\p{Script=Han}/u, path);
    await page.goto(inLanguage(path, "zh"));
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-Hans", path);
    const chinese = await page.evaluate(() => {
      for (const node of document.querySelectorAll("[lang]:not(html), q, blockquote, .reason, .actor, .document, .id, .words")) node.remove();
      return document.body.innerText;
    });
    assert.doesNotMatch(chinese, /\b(the|of|and|Shandong|Search|Changes|figure|figures|revised|created|yuan|trillion)\b/, path);
  }
});

// Dark or light: how bright the ground is.
const bright = (page) =>
  page.evaluate(() => {
    const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return (red + green + blue) / 3 > 128;
  });

for (const [colorScheme, isBright, name] of [
  ["light", true, "Dark"],
  ["dark", false, "Light"],
]) {
  test(`a page is ${colorScheme} on a device that is, and a switch leads to the other theme and back`, async (t) => {
    const page = await open(t, server, "/regions/CN-SD?lang=en", { colorScheme });
    assert.equal(await bright(page), isBright);
    const other = name === "Dark" ? "Light" : "Dark";
    assert.equal(await page.getByRole("link", { name: other, exact: true }).count(), 0, "one switch is offered");
    await page.getByRole("link", { name, exact: true }).click();
    await page.waitForURL(new RegExp(`theme=${name.toLowerCase()}`));
    assert.equal(await bright(page), !isBright);
    // And where one goes from there.
    await page.locator(".tile a").first().click();
    await page.waitForURL(/\/regions\/CN-SD\/.*theme=/);
    assert.equal(await bright(page), !isBright);
    await page.getByRole("link", { name: other, exact: true }).click();
    await page.waitForURL(new RegExp(`theme=${other.toLowerCase()}`));
    assert.equal(await bright(page), isBright);
  });
}

// Every window of these tests has nothing but the server; that it was asked for nothing else is checked at the end of each.
for (const [name, path] of Object.entries(SCREENS)) {
  test(`with the server alone the page is complete, and breaks no rule of its Content-Security-Policy: ${name}`, async (t) => {
    const page = await open(t, server, inLanguage(path, "zh"));
    await page.waitForLoadState("load");
    const broken = await page.evaluate(() => [...document.images].filter((image) => !image.complete || !image.naturalWidth).length);
    assert.equal(broken, 0, "images are there");
    assert.ok(await page.evaluate(() => document.styleSheets.length > 0 && document.styleSheets[0].cssRules.length > 50), "the style is");
    assert.ok(await page.evaluate(() => document.documentElement.classList.contains("scripted")), "the script is");
  });
}

test("without a script there are figures, a chart, a table, and controls with a button", async (t) => {
  const page = await open(t, server, "/regions/CN-SD?lang=en", { javaScriptEnabled: false });
  assert.match(await words(page, ".tile .figure"), /> 3 trillion yuan/);
  assert.match(await words(page, "#state-text"), /not live without its script/);
  assert.equal(await page.locator("#pause").isVisible(), false);
  await page.getByRole("searchbox").fill("5G");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/search\?q=5G/);
  assert.match(await words(page, ".hits"), /5G base stations/);

  await page.goto(`${INDICATOR}?lang=en`);
  assert.ok(await page.locator(".drawing.wide svg.chart").isVisible());
  assert.equal(await page.locator("button.png").isVisible(), false);
  assert.match(await words(page, "#table"), /7,280,000,000,000 yuan/);
  await page.selectOption("select[name=scale]", "log");
  await page.selectOption("select[name=as_of]", "2019-01-31");
  await page.fill("input[name=with]", "Jiangsu");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL(/scale=log/);
  assert.match(await words(page, "#head .figure"), /6.66 trillion yuan/);
  assert.match(await words(page, "#plot"), /logarithmic.*Jiangsu/);
});

test("figures and charts are saved as files", async (t) => {
  const page = await open(t, server, `${INDICATOR}?lang=en`);
  await live(page);
  for (const [name, file] of [
    ["CSV", "regional-gdp_CN-SD.csv"],
    ["JSON", "regional-gdp_CN-SD.json"],
    ["SVG", "regional-gdp_CN-SD.svg"],
    ["PNG", "chart.png"],
  ]) {
    const saved = page.waitForEvent("download");
    await page.locator(".files").getByText(name, { exact: true }).click();
    assert.equal((await saved).suggestedFilename(), file);
  }
});

for (const width of [320, 390, 768, 1280, 1920, 3840]) {
  test(`no page is wider than a screen of ${width} pixels`, async (t) => {
    const page = await open(t, server, "/", { viewport: { width, height: Math.round(width * 0.6) } });
    for (const path of Object.values(SCREENS)) {
      for (const language of ["en", "zh"]) {
        await page.goto(inLanguage(path, language));
        await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
        const over = await page.evaluate(() => {
          const wide = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= wide) return [];
          const scrolls = (node) => getComputedStyle(node).overflowX !== "visible";
          const within = (node) => node.parentElement && (scrolls(node.parentElement) || within(node.parentElement));
          const all = [...document.body.querySelectorAll("*")].filter((node) => !within(node));
          const out = all.filter((node) => node.getBoundingClientRect().right > wide + 1);
          return out.slice(0, 5).map((node) => node.outerHTML.slice(0, 120));
        });
        assert.deepEqual(over, [], `${path} in ${language}`);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), path);
      }
    }
  });
}
