// Where tokens are asked for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { focused, live, open, shows, words } from "./lib/browser.mjs";
import { builtIn } from "./lib/record.mjs";
import { Server } from "./lib/server.mjs";

let reader = "";
const server = Server.shared(async (server) => {
  reader = await server.token("--role", "reader", "--name", "hall");
  server.writeAs(await server.token("--role", "admin"));
  await server.known();
  await builtIn(server);
}, "--auth");

test("a page asks for a token, keeps it where no script reads it, and gives it up", async (t) => {
  const page = await open(t, server, "/regions/CN-SD?lang=en");
  assert.equal((await focused(page)).id, "token");
  assert.equal(await page.locator(".tile").count(), 0);
  await page.keyboard.type("indicator_wrong");
  await page.keyboard.press("Enter");
  await shows(page, "#wrong[role=alert]", "not known here");
  assert.equal(await page.locator("#token").getAttribute("aria-describedby"), "wrong");
  assert.deepEqual(await page.context().cookies(), []);

  await page.locator("#token").fill(reader);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/regions\/CN-SD\?lang=en/);
  await live(page);
  await shows(page, ".tile .figure", "> 3 trillion yuan");
  const [cookie, ...others] = await page.context().cookies();
  assert.deepEqual(others, []);
  assert.ok(cookie.httpOnly && cookie.sameSite === "Strict", JSON.stringify(cookie));
  assert.equal(await page.evaluate(() => document.cookie), "");
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]) + document.documentElement.outerHTML);
  assert.ok(!kept.includes(reader), "it is nowhere else");

  // What is written meanwhile comes to whoever has signed in.
  await server.put("data-centers", "CN-SD", "2022", "270");
  await shows(page, "#tile-data_2d_centers", "270");
  // Views that the script fetches, and files.
  await page.goto("/regions/CN-SD/data-centers?lang=en");
  await page.selectOption("select[name=scale]", "log");
  await page.waitForURL(/scale=log/);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.locator("#token").waitFor();
  assert.deepEqual(await page.context().cookies(), []);
  await page.goto("/regions/CN-SD?lang=en");
  assert.equal(await page.locator(".tile").count(), 0);
});

test("it is asked for in Chinese of those who read it", async (t) => {
  const page = await open(t, server, "/", { locale: "zh-CN" });
  assert.match(await words(page, ".sign-in"), /登录.*令牌/);
  await page.locator("#token").fill("wrong");
  await page.keyboard.press("Enter");
  await shows(page, "#wrong", "令牌无效");
});

test("an open page of a reader whose token was taken back asks for another", async (t) => {
  const token = await server.token("--role", "reader", "--name", "guest");
  await server.known(token);
  const page = await open(t, server, "/regions/CN-SD?lang=en");
  await page.locator("#token").fill(token);
  await page.keyboard.press("Enter");
  await live(page);
  await server.revoke("guest");
  await page.locator("#token").waitFor();
});
