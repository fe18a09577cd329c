// What the journeys share: `vanguard serve` on loopback, a real Chromium, and the things that people do on the page.
import { chromium } from "playwright-core";
import { execFile, spawn } from "node:child_process";
import { createCipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const logs = join(root, "testdata/logs");
export const log = (name) => readFileSync(join(logs, name), "utf8");
export const program = process.env.VANGUARD ?? join(root, "bin/vanguard");

const candidates = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** freePort finds a port that nobody listens on. */
const freePort = () => new Promise((resolve, reject) => {
  const s = createServer().once("error", reject).listen(0, "127.0.0.1", () => { const { port } = s.address(); s.close(() => resolve(port)); });
});

/** serve starts `vanguard serve` with a store of its own and returns {url, stop}. */
export async function serve() {
  if (!existsSync(program)) throw new Error(`${program} is missing: make build`);
  const dir = mkdtempSync(join(tmpdir(), "vanguard-page-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(program, ["serve", "--listen", new URL(url).host, "--data", join(dir, "shares.db")], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (d) => { said += d; });
  for (let i = 0; ; i++) {
    if (child.exitCode !== null || i > 200) throw new Error(`vanguard serve did not start: ${said}`);
    if (await fetch(url + "/healthz").then((r) => r.ok, () => false)) break;
    await new Promise((r) => setTimeout(r, 50));
  }
  const ended = new Promise((r) => child.once("exit", r));
  return { url, stop: async () => { child.kill("SIGTERM"); await ended; rmSync(dir, { recursive: true, force: true }); } };
}

export async function launch() {
  const executablePath = candidates.find((p) => p && existsSync(p));
  if (!executablePath) throw new Error("no Chromium: apt-get install chromium, or name one in CHROMIUM");
  return chromium.launch({ executablePath, args: flags });
}

/** open loads the page in a context of its own and waits until the engine is there. Whatever goes wrong in the page fails the test that asks for page.errors. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(url).origin });
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (e) => page.errors.push(e.message));
  page.on("dialog", (d) => { page.errors.push(`dialog: ${d.message()}`); void d.dismiss(); });
  await page.goto(url);
  await ready(page);
  return page;
}

export const ready = (page) => page.waitForSelector("html[data-ready]", { timeout: 60_000 });
export const judged = (page) => page.waitForSelector("#result:not([hidden]) .columns", { timeout: 60_000 });
export const warm = (page) => page.waitForSelector("html[data-warm]", { timeout: 60_000 });
export const verdict = (page) => page.textContent("#verdict");

/** again waits for a judgement that differs from the first. */
export const again = (page) => page.waitForSelector("#result .top:has(.whatif) + .columns", { timeout: 60_000 });

/** paste puts text on the clipboard and presses Ctrl+V in the box. */
export async function paste(page, text) {
  await page.evaluate((t) => navigator.clipboard.writeText(t), text);
  await page.focus("#lines");
  await page.keyboard.press("Control+V");
  await judged(page);
}

/** drop lets files fall onto the page: [{name, text | base64}]. */
export async function drop(page, files) {
  const data = await page.evaluateHandle((all) => {
    const d = new DataTransfer();
    for (const f of all) d.items.add(new File([f.base64 ? Uint8Array.from(atob(f.base64), (c) => c.charCodeAt(0)) : f.text], f.name));
    return d;
  }, files);
  await page.dispatchEvent("body", "dragenter", { dataTransfer: data });
  await page.dispatchEvent("body", "drop", { dataTransfer: data });
  await judged(page);
}

export async function example(page, name) {
  if (await page.isVisible("#again")) await page.click("#again");
  await page.click(`[data-example="${name}"]`);
  await judged(page);
}

/** exported presses an export button and returns the file's text. */
export async function exported(page, format, { secrets = false } = {}) {
  if (secrets && await page.isVisible("#keep-secrets")) await page.check("#keep-secrets");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(`[data-export="${format}"]`)]);
  return readFileSync(await download.path(), "utf8");
}

/** keep shares content as docs/share.md has it, without the page's help, and returns the link. */
export async function keep(url, content, { burn = false } = {}) {
  const key = randomBytes(32), iv = randomBytes(12), label = "vanguard share 1";
  const derive = (what) => Buffer.from(hkdfSync("sha256", key, Buffer.alloc(0), `${label} ${what}`, 32));
  const aes = createCipheriv("aes-256-gcm", derive("content"), iv).setAAD(Buffer.from(label));
  const ciphertext = Buffer.concat([aes.update(gzipSync(JSON.stringify(content))), aes.final(), aes.getAuthTag()]);
  const open_hash = createHash("sha256").update(derive("open")).digest("base64url");
  const r = await fetch(`${url}/api/v1/shares`, { method: "POST", body: JSON.stringify({ ciphertext: ciphertext.toString("base64url"), iv: iv.toString("base64url"), open_hash, expires: 3600, burn }) });
  return `${url}/s/${(await r.json()).id}#${key.toString("base64url")}`;
}

/** scan runs the command line and returns what it prints. */
export async function scan(args, input) {
  const run = promisify(execFile)(program, ["scan", "--fail-on", "never", "--no-progress", ...args], { cwd: logs, maxBuffer: 64 << 20 });
  if (input !== undefined) run.child.stdin.end(input);
  return (await run).stdout;
}

export const text = (page, selector) => page.locator(selector).innerText();
/** unfold opens all findings and tables. */
export const unfold = (page) => page.evaluate(() => { for (const e of document.querySelectorAll(".noise > summary, .timeline summary, .head[aria-expanded=false]")) e.click(); });
