// Texts of the record that would be markup, in a browser: nothing of them runs.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { live, open, shows } from "./lib/browser.mjs";
import { catalog, figures } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

// Each would set a mark on the window, open a dialog, or ask another host.
const PARTS = [
  "<script>window.ran=1;alert(1)</script>",
  "<img src=x onerror='window.ran=2;alert(2)'>",
  "<svg onload='window.ran=3'></svg>",
  "</title></text></svg><script>window.ran=4</script>",
  "<a href='javascript:window.ran=5'>a</a>",
  "<style>@import '//elsewhere.example/x.css';*{background:url(//elsewhere.example/x.png)}</style>",
  "<meta http-equiv='refresh' content='0;url=//elsewhere.example'>",
  "<iframe srcdoc='<script>parent.ran=6</script>'></iframe>",
  "\"' onmouseover='window.ran=7' autofocus onfocus='window.ran=8' x='",
  "${window.ran=9}{{constructor.constructor('window.ran=10')()}}",
  "\u202Eesrever",
];
const MARKUP = PARTS.join("");
// Names are shorter.
const text = (end) => JSON.stringify(PARTS.filter((_, i) => i !== 5 && i !== 7).join("") + end);
const names = (end) => `names = { en = ${text(end)}, zh = ${text(end)} }`;

const CATALOG = `
[[region]]
id = "X"
level = "country"
${names("country")}
[[region]]
id = "X-A"
parent = "X"
level = "province"
${names("region A")}
[[region]]
id = "X-B"
parent = "X"
level = "province"
${names("region B")}
[[source]]
id = "s"
kind = "media"
${names("source s")}
[[source]]
id = "t"
kind = "media"
precedence = 1
${names("source t")}
[[unit]]
id = "{x}"
kind = "count"
symbols = { en = ${text("symbol")}, zh = ${text("symbol")} }
${names("unit")}
[[indicator]]
id = "i"
unit = "{x}"
topic = "topic"
descriptions = { en = ${text("description")}, zh = ${text("description")} }
${names("indicator")}
`;

const quoted = `"${MARKUP.replaceAll('"', '""')}"`;
const ROWS = [
  "indicator,region,source,period,value,original_text,note,document_uri",
  ...["2018", "2019", "2020"].map((period, i) => `i,X-A,s,${period},${i + 1},${quoted},${quoted},javascript:alert(3)`),
  `i,X-A,t,2020,50,${quoted},${quoted},data:text/html;<script>window.ran=11</script>`,
  `i,X-B,s,2020,9,${quoted},${quoted},`,
];

const server = Server.shared(async (server) => {
  await catalog(server, CATALOG);
  await figures(server, ROWS.join("\n"), "--reason", MARKUP, "--actor", PARTS[0] + PARTS[1]);
});

const PAGES = [
  "/regions/X-A?lang=en",
  "/regions/X-A?wall&lang=zh",
  "/regions/X-A/i?with=X-B&vintages=2100&lang=en",
  "/rankings/i?level=province&lang=en",
  "/changes?lang=en",
  "/search?q=alert&lang=en",
  `/search?lang=en&q=${encodeURIComponent(MARKUP).slice(0, 1500)}`,
  `/regions/${encodeURIComponent(PARTS[1])}?lang=en`,
  `/regions/X-A/i?lang=en&with=${encodeURIComponent(PARTS[1])}`,
  `/regions/X-A/i?lang=en&from=${encodeURIComponent(PARTS[1])}`,
];

/// Nothing of the texts has become part of the page.
async function assertTame(page, what) {
  const found = await page.evaluate(() => ({
    ran: window.ran ?? null,
    elements: [...document.querySelectorAll("main script, iframe, style, meta[http-equiv], main img, [onload], [onerror], [onfocus], [onmouseover]")].map((it) => it.outerHTML),
    links: [...document.querySelectorAll("a")].map((it) => it.getAttribute("href")).filter((href) => !/^(\/|#|https?:)/.test(href)),
  }));
  assert.deepEqual(found, { ran: null, elements: [], links: [] }, what);
}

test("markup in names, words, notes and reasons is text on every page, and does not run when pages are walked", async (t) => {
  const page = await open(t, server, PAGES[0]);
  for (const path of PAGES) {
    await page.goto(path);
    await page.locator("body").waitFor();
    // Over everything once, by mouse and by keys.
    for (let i = 0; i < 30; i += 1) await page.keyboard.press("Tab");
    for (const chart of await page.locator("svg.chart:visible, .tile, .row").all()) await chart.hover({ force: true, timeout: 1_000 }).catch(() => {});
    await assertTame(page, path);
  }
  await page.goto(PAGES[0]);
  await shows(page, ".tile .name", "<script>window.ran=1;alert(1)</script>");
});

test("what a stream brings is text too, where it is exchanged, said and told on a wall", async (t) => {
  const pages = [];
  for (const path of ["/regions/X-A?lang=en", "/regions/X-A?wall&lang=en", "/regions/X-A/i?lang=en", "/changes?lang=en", "/rankings/i?level=province&lang=en"]) {
    const page = await open(t, server, path);
    await live(page);
    pages.push([path, page]);
  }
  await server.put("i", "X-A", "2020", "1000", "--source", "s", "--words", MARKUP, "--note", MARKUP, "--reason", `${MARKUP}later`);
  for (const [path, page] of pages) {
    await page.waitForFunction(() => /1,000/.test(document.querySelector("main").textContent));
    await assertTame(page, path);
  }
  await shows(pages[1][1], "#ticker-text", "<script>window.ran=1;alert(1)</script>");
  await assertTame(pages[1][1], "the ticker");
});

test("a chart that is saved runs nothing where it is opened by itself", async (t) => {
  const page = await open(t, server, "/regions/X-A/i?with=X-B&lang=en");
  const saved = page.waitForEvent("download");
  await page.locator(".files").getByText("SVG", { exact: true }).click();
  const svg = await readFile(await (await saved).path(), "utf8");
  // As a file, without the rules that the server sends; and in a page, where a browser reads it as HTML.
  const asked = [];
  const record = (request) => asked.push(request.url());
  for (const name of ["chart.svg", "chart.html"]) {
    const file = join(server.directory, name);
    await writeFile(file, name.endsWith("svg") ? svg : `<!DOCTYPE html><meta charset=utf-8>${svg}`);
    const bare = await page.context().browser().newContext();
    bare.on("request", record);
    const dialogs = [];
    bare.on("dialog", (dialog) => (dialogs.push(dialog.message()), dialog.dismiss()));
    const view = await bare.newPage();
    await view.goto(pathToFileURL(file).href);
    await view.mouse.move(400, 300);
    assert.equal(await view.locator("svg").count(), 1, "it is a drawing and nothing else");
    assert.equal(await view.locator("script, iframe, img, a, meta[http-equiv], [onload], [onerror]").count(), 0);
    assert.equal(await view.evaluate(() => window.ran ?? null), null);
    assert.ok((await view.locator("svg").textContent()).includes("<script>window.ran=1;"), "its texts are there");
    assert.deepEqual(dialogs, []);
    await bare.close();
  }
  assert.deepEqual(asked.filter((url) => !url.startsWith("file:")), []);
});
