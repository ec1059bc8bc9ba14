// Figures and charts, in both languages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, shows, words } from "./lib/browser.mjs";
import { full } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

const server = Server.shared(full);

const OUTPUT = "#tile-digital_2d_economy_2d_output";
const GDP = "/regions/CN-SD/regional-gdp";

for (const [language, bound, dollars, words] of [
  ["en", "> 3 trillion yuan", "470.4 billion US dollars", "exceeded 3 trillion yuan"],
  ["zh", "超 3 万亿元", "4,704 亿美元", "exceeded 3 trillion yuan"],
]) {
  test(`a bound stands in a tile and on its page as the reader's language has it: ${language}`, async (t) => {
    const page = await open(t, server, `/regions/CN-SD?lang=${language}`);
    await shows(page, `${OUTPUT} .figure`, bound);
    // The source's words come on focus.
    await page.locator(`${OUTPUT} .name a`).focus();
    await shows(page, OUTPUT, dollars);
    assert.ok(await page.locator(`${OUTPUT} .said`).getByText(dollars).isVisible());
    await page.locator(`${OUTPUT} .name a`).click();
    await shows(page, "#head .figure", bound);
    await shows(page, "#head blockquote", words);
    // One figure is drawn as a bar whose end is open.
    assert.ok(await page.locator(".drawing.wide .chart .arrow").first().isVisible());
    assert.ok(await page.locator(".drawing.wide .chart path.bar").first().isVisible());
  });
}

test("all ten figures of the built-in data set are on one page", async (t) => {
  const page = await open(t, server, "/regions/CN-SD?lang=en");
  const shown = await words(page, ".tile .figure");
  for (const figure of ["> 3 trillion yuan", "> 70 million", "100%", "115", "232", "1.71 million", "> 100,000", "204", "7.28 trillion yuan"]) {
    assert.ok(shown.includes(figure), `${figure} is not in ${shown}`);
  }
  assert.equal(shown.match(/\b3rd\b|rank 3/g)?.length, 2, shown);
});

for (const [language, past, overlaid, figure] of [
  ["en", "Not the figures of now: as had been published by 31 Jan 2019", "as of 31 Jan 2016", "6.66 trillion yuan"],
  ["zh", "并非当前数据：截至2019年1月31日已发布的数据", "截至2016年1月31日", "6.66 万亿元"],
]) {
  test(`a vintage is shown by itself, and laid over the figures of now: ${language}`, async (t) => {
    const page = await open(t, server, `${GDP}?as_of=2019-01-31&lang=${language}`);
    await shows(page, "#head .past", past);
    await shows(page, "#head .figure", figure);
    assert.equal(await page.locator("#state").getAttribute("data-state"), "past");
    assert.equal(await page.locator("#pause").count(), 0);
    await page.goto(`${GDP}?vintages=2016-01-31&lang=${language}`);
    await shows(page, ".drawing.wide .chart .vintage .label", overlaid);
    assert.equal(await page.locator(".drawing.wide .chart .vintage .part").count(), 2);
    await shows(page, "#table", overlaid);
  });
}

for (const [language, gap, sides] of [
  ["en", "at least", "7,050,000,000,000 yuan (National Bureau of Statistics) against 7,800,000,000,000 yuan (Local media)"],
  ["zh", "至少相差", "7,050,000,000,000 元 (国家统计局) 对 7,800,000,000,000 元 (当地媒体)"],
]) {
  test(`a discrepancy tells who says what, and how far apart they are: ${language}`, async (t) => {
    const page = await open(t, server, `${GDP}?lang=${language}`);
    await shows(page, "#sources .discrepancy", sides);
    await shows(page, "#sources .discrepancy", gap);
  });
}

for (const [language, kinds] of [
  ["en", { 2012: "suppressed", 2015: "> 7.4 trillion yuan", 2017: "9 – 9.3 trillion yuan", 2018: "≈ 10 trillion yuan", 2020: "provisional" }],
  ["zh", { 2012: "保密", 2015: "超 7.4 万亿元", 2017: "9 – 9.3 万亿元", 2018: "约 10 万亿元", 2020: "初步" }],
]) {
  test(`a line shows bounds, intervals, gaps and provisional figures, and a keyboard walks it: ${language}`, async (t) => {
    const page = await open(t, server, `/regions/CN-GD/regional-gdp?lang=${language}`);
    const chart = page.locator(".drawing.wide svg.chart");
    for (const mark of [".arrow", ".mark.hollow", ".span", ".missing", ".part.provisional", ".part.open"]) {
      assert.ok(await chart.locator(`.series ${mark}`).count(), `${mark} is drawn`);
    }
    await chart.focus();
    await page.keyboard.press("Home");
    const tooltip = page.locator("#tooltip");
    await shows(page, "#tooltip", "2010");
    for (let year = 2010; year <= 2020; year += 1) {
      const text = (await tooltip.innerText()).replace(/\s+/g, " ");
      assert.ok(text.startsWith(String(year)), text);
      if (kinds[year]) assert.ok(text.includes(kinds[year]), `${kinds[year]} is not in ${text}`);
      assert.equal(await chart.locator(".slot.picked").getAttribute("data-period"), String(year));
      await page.keyboard.press("ArrowRight");
    }
    await page.keyboard.press("Escape");
    assert.equal(await tooltip.isVisible(), false);
    // And everything is in the table too.
    const table = (await page.locator("#table").textContent()).replace(/\s+/g, " ");
    const whole = ["> 7,400,000,000,000", "9,000,000,000,000 – 9,300,000,000,000", "≈ 10,000,000,000,000"];
    for (const kind of [kinds[2012], kinds[2020], ...whole]) assert.ok(table.includes(kind), `${kind} is not in ${table}`);
  });
}

test("a chart is named and told in words for those who do not see it", async (t) => {
  const page = await open(t, server, "/regions/CN-GD/regional-gdp?lang=en");
  const image = page.getByRole("img", { name: /Gross regional product – Guangdong.*11 periods|Gross regional product – Guangdong.*figures/ });
  assert.ok(await image.first().isVisible());
});

test("few figures are bars, open, provisional or between two ends", async (t) => {
  const page = await open(t, server, "/regions/CN-HE/regional-gdp?lang=en");
  const chart = page.locator(".drawing.wide svg.chart");
  for (const mark of [".bar.open", ".span", ".missing", ".bar.provisional", ".arrow"]) {
    assert.ok(await chart.locator(mark).count(), `${mark} is drawn`);
  }
  await shows(page, "#head .figure", "> 3.6 trillion yuan");
  await shows(page, "#head .remark", "provisional");
});
