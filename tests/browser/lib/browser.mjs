// Debian's Chromium, and what a page may never do in it.
import assert from "node:assert/strict";
import { after } from "node:test";
import { chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
// Its sandbox needs rights that a container does not give.
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
args.push("--disable-component-update", "--disable-sync", "--js-flags=--expose-gc");

let browser = null;
after(() => browser?.close());

// Safety nets: what is waited for has come long before.
const LONG = 20_000;

/// A window of its own. What it is asked for by no page of ours makes the test fail: a request to elsewhere, a breach of the
/// Content-Security-Policy, an error of the script, a dialog.
export async function window(t, server, options = {}) {
  browser ??= await chromium.launch({ executablePath, args });
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 }, ...options, baseURL: server.url });
  context.setDefaultTimeout(LONG);
  const wrong = [];
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== server.url && url.protocol !== "blob:") wrong.push(`a request to ${url}`);
  });
  context.on("weberror", (error) => wrong.push(`an error: ${error.error()}`));
  context.on("dialog", (dialog) => (wrong.push(`a dialog: ${dialog.message()}`), dialog.dismiss()));
  context.on("console", (message) => {
    const text = message.text();
    if (/content.security.policy|refused to/i.test(text)) wrong.push(text);
  });
  // Elsewhere is not there.
  await context.route((url) => url.origin !== server.url, (route) => route.abort());
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  return context;
}

/// A page of such a window.
export async function open(t, server, path, options) {
  const page = await (await window(t, server, options)).newPage();
  await page.goto(path);
  return page;
}

/// Waits until the page follows the record.
export async function live(page) {
  await page.locator('#state[data-state="live"]').waitFor();
}

/// Waits until a part has this text, its spaces made one.
export async function shows(page, selector, text) {
  const has = ([selector, text]) => {
    const all = [...document.querySelectorAll(selector)];
    return all.some((node) => node.textContent.replace(/\s+/g, " ").includes(text));
  };
  try {
    await page.waitForFunction(has, [selector, text]);
  } catch {
    assert.fail(`${selector} does not show ${JSON.stringify(text)} but ${JSON.stringify(await words(page, selector))}`);
  }
}

/// What a reader sees of a part, its spaces made one.
export async function words(page, selector) {
  const all = await page.locator(selector).allInnerTexts();
  return all.map((text) => text.replace(/\s+/g, " ").trim()).join(" | ");
}

/// Where the focus is.
export function focused(page) {
  return page.evaluate(() => {
    const { tagName, id, className, name, href, textContent } = document.activeElement;
    return { tag: tagName.toLowerCase(), id, class: className?.baseVal ?? className, name, href, text: textContent?.trim() };
  });
}
