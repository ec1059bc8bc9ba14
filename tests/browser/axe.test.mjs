// What axe-core finds on each screen, in both themes, both languages and two sizes: nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { live, open, window } from "./lib/browser.mjs";
import { full, inLanguage, SCREENS } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

const server = Server.shared(full);
const closed = Server.shared(async () => {}, "--auth");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

/// What it finds, in few words.
async function findings(page) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate((tags) => axe.run(document, { runOnly: tags }), TAGS);
  assert.ok(passes.length > 5, "it has looked");
  return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.any[0]?.message ?? ""}`));
}

for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`axe finds nothing: ${colorScheme}, ${width} pixels wide`, async (t) => {
      const page = await open(t, server, "/", { colorScheme, viewport: { width, height: 900 } });
      for (const [name, path] of Object.entries(SCREENS)) {
        for (const language of ["en", "zh"]) {
          await page.goto(inLanguage(path, language));
          await page.locator("html.scripted").waitFor();
          assert.deepEqual(await findings(page), [], `${name} in ${language}`);
        }
      }
      const entry = await (await window(t, closed, { colorScheme, viewport: { width, height: 900 } })).newPage();
      for (const locale of ["en", "zh"]) {
        await entry.setExtraHTTPHeaders({ "accept-language": locale });
        await entry.goto("/");
        assert.deepEqual(await findings(entry), [], `signing in, ${locale}`);
        await entry.locator("#token").fill("wrong");
        await entry.keyboard.press("Enter");
        await entry.locator("#wrong").waitFor();
        assert.deepEqual(await findings(entry), [], `a wrong token, ${locale}`);
      }
    });
  }
}

test("axe finds nothing while a figure flashes and a chart is walked", async (t) => {
  const page = await open(t, server, "/regions/CN-SD/regional-gdp?lang=en");
  await live(page);
  await page.locator(".drawing.wide svg").focus();
  await server.put("regional-gdp", "CN-SD", "2021", "8300000000000", "--source", "nbs");
  await page.locator(".changed").first().waitFor();
  assert.deepEqual(await findings(page), []);
});
