// `indicatord` as a process, and the client that writes into it.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = new URL("../../..", import.meta.url).pathname;
const indicatord = process.env.INDICATORD ?? join(root, "target/debug/indicatord");
const indicator = join(dirname(indicatord), "indicator");

// A safety net.
const LONG = 20_000;

// Lines of a log that are shown where it does not start.
const SHOWN = 20;

export class Server {
  #process = null;
  #log = [];
  #environment = {};

  /// Over a fresh directory, which vanishes with the test.
  static async start(t, ...flags) {
    const server = new Server();
    t.after(() => server.end());
    await server.#begin(flags);
    return server;
  }

  async #begin(flags) {
    this.flags = flags;
    this.directory = await mkdtemp(join(tmpdir(), "indicator-browser-"));
    await this.startAgain();
  }

  /// One for all tests of a file, filled before them.
  static shared(fill, ...flags) {
    const server = new Server();
    before(async () => {
      await server.#begin(flags);
      await fill(server);
    });
    after(() => server.end());
    return server;
  }

  /// Ends it, and its directory with it.
  async end() {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  /// Over the same directory, and on the same port as before.
  async startAgain() {
    const listen = this.address ?? "127.0.0.1:0";
    const data = join(this.directory, "data");
    const args = ["serve", "--data", data, "--listen", listen, "--admin-listen", "off", "--log-format", "json", ...this.flags];
    this.#process = spawn(indicatord, args, { stdio: ["ignore", "ignore", "pipe"] });
    const lines = createInterface({ input: this.#process.stderr });
    this.address = await new Promise((listening, failed) => {
      lines.on("line", (line) => {
        this.#log.push(line);
        const { fields } = JSON.parse(line);
        if (fields?.message === "listening") listening(fields.address);
      });
      lines.on("close", () => failed(new Error(`the server does not listen:\n${this.#log.slice(-SHOWN).join("\n")}`)));
    });
    this.url = `http://${this.address}`;
  }

  /// Ends it as a crash does.
  async kill() {
    if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }

  /// Makes a credential with `indicatord token create`.
  async token(...args) {
    const made = await run(indicatord, ["token", "create", "--data", join(this.directory, "data"), ...args]);
    return made.stdout.trim();
  }

  /// Takes one back, by its name.
  revoke(name) {
    return run(indicatord, ["token", "revoke", "--data", join(this.directory, "data"), name]);
  }

  /// Waits until the server knows a token: that of who writes, if none is given.
  async known(token = this.#environment.INDICATOR_TOKEN) {
    const headers = { cookie: `indicator-token=${token}` };
    for (const until = Date.now() + LONG; Date.now() < until; await sleep(20)) {
      if ((await fetch(`${this.url}/changes`, { headers })).status === 200) return;
    }
    throw new Error("the server does not know the token");
  }

  /// Writes as whoever has this token.
  writeAs(token) {
    this.#environment = { INDICATOR_TOKEN: token };
  }

  /// Runs `indicator`.
  async indicator(...args) {
    const env = { ...process.env, ...this.#environment, INDICATOR_SERVER: this.url, LANG: "C.UTF-8" };
    return (await run(indicator, args, { env })).stdout;
  }

  /// Writes one figure.
  put(indicator, region, period, value, ...flags) {
    const args = flags.includes("--source") ? flags : ["--source", "local-media", ...flags];
    return this.indicator("put", indicator, region, period, ...(value === null ? [] : [value]), ...args);
  }
}
