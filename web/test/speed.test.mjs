// How fast it is, as measurements: they are printed, and only what no machine should exceed fails. Goals: verdict on 500 lines
// within 300 ms of the paste, once the engine is warm; usable within 1.5 s of a cold load on loopback; 15 MB/s on a 50 MB file.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { judged, launch, log, open, paste, ready, serve, text, verdict, warm } from "./harness.mjs";

let host, browser;
before(async () => { [host, browser] = await Promise.all([serve(), launch()]); });
after(async () => { await browser?.close(); await host?.stop(); });

const median = (xs) => xs.sort((a, b) => a - b)[Math.floor(xs.length / 2)];
const report = (what, value, goal) => console.log(`measured: ${what}: ${value} (goal ${goal})`);

test("cold load to usable", async () => {
  const times = [];
  for (let i = 0; i < 3; i++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(() => new MutationObserver((_, o) => { if (document.documentElement?.dataset.ready) { o.disconnect(); globalThis.__ready = performance.now(); } }).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-ready"] }));
    await page.goto(host.url);
    await ready(page);
    times.push(Math.round(await page.evaluate(() => globalThis.__ready)));
    await context.close();
  }
  report("cold load to usable", `${median(times)} ms of ${times.join(", ")}`, "1500 ms");
});

test("500 lines: paste to verdict", async () => {
  const page = await open(browser, host.url);
  const lines = (log("wordpress-apache.log") + log("nginx-sqli.log") + log("nginx-normal.log")).split("\n").slice(0, 500).join("\n");
  await warm(page); // a reader looks at the page for two seconds before they paste; the engine warms up meanwhile
  await page.evaluate(() => {
    globalThis.__times = [];
    addEventListener("paste", () => { globalThis.__pasted = performance.now(); }, true);
    new MutationObserver(() => { if (globalThis.__pasted && !document.querySelector("#result").hidden && document.querySelector("#result .trust")) { globalThis.__times.push(performance.now() - globalThis.__pasted); globalThis.__pasted = 0; } }).observe(document.querySelector("#result"), { attributes: true, childList: true, subtree: true });
  });
  for (let i = 0; i < 5; i++) {
    await paste(page, lines);
    await page.click("#again");
  }
  const times = await page.evaluate(() => globalThis.__times.map(Math.round));
  report("500 lines, paste to verdict", `${median([...times])} ms (first ${times[0]} ms; all ${times.join(", ")})`, "300 ms");
  assert.ok(median(times) < 5000);
  await page.context().close();
});

test("500 lines, pasted in the moment that the page is usable: the engine is cold", async () => {
  const lines = (log("wordpress-apache.log") + log("nginx-sqli.log") + log("nginx-normal.log")).split("\n").slice(0, 500).join("\n");
  const times = [];
  for (let i = 0; i < 3; i++) {
    const page = await open(browser, host.url);
    const began = performance.now();
    await paste(page, lines);
    times.push(Math.round(performance.now() - began));
    await page.context().close();
  }
  report("500 lines, cold paste to verdict", `${median([...times])} ms (all ${times.join(", ")})`, "2000 ms, above the fold");
});

test("500 lines: what the classifier adds", async () => {
  const page = await open(browser, host.url);
  // Lines whose values the classifier has not seen before: what it once found harmless it remembers, and repeated lines cost it nothing.
  const some = log("nginx-sqli.log").split("\n").filter(Boolean), words = "red oak table (large), cotton 40% off what's new; size=12 select colour and order by price union jack drop leaf".split(" ");
  let n = 1;
  const word = () => words[(n = n * 48271 % 2147483647) % words.length];
  const fresh = () => Array.from({ length: 500 }, (_, i) => i % 10 === 0 ? some[i / 10 % some.length]
    : `192.0.2.${i % 200} - - [23/Nov/2026:03:${10 + Math.floor(i / 60)}:${10 + i % 50} +0000] "GET /shop/search?q=${encodeURIComponent(`${word()} ${word()} ${n} ${word()}`)}&ref=${n % 9973} HTTP/1.1" 200 5120 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"`).join("\n");
  await warm(page);
  await page.click("summary:has-text('Options')");
  const times = { with: [], without: [] };
  for (let i = 0; i < 18; i++) {
    await page.setChecked("#classifier", i % 2 === 0);
    await paste(page, fresh());
    const ms = Number((await text(page, ".trust")).match(/in ([\d,]+) ms/)[1].replace(",", ""));
    if (i > 3) times[i % 2 === 0 ? "with" : "without"].push(ms); // the first ones warm the engine that has no classifier
    await page.click("#again");
  }
  report("500 fresh lines in the engine, with the classifier", `${median([...times.with])} ms (all ${times.with.join(", ")})`, "at most 100 ms more than without");
  report("500 fresh lines in the engine, without the classifier", `${median([...times.without])} ms (all ${times.without.join(", ")})`, "-");
  await page.context().close();
});

test("50 MB file: speed, first verdict, and a page that stays responsive", async () => {
  const dir = mkdtempSync(join(tmpdir(), "vanguard-big-"));
  const file = join(dir, "access.log");
  try {
    const normal = log("nginx-normal.log"), parts = [log("nginx-sqli.log")];
    for (let size = 0; size < 50e6; size += normal.length) parts.push(normal);
    writeFileSync(file, parts.join(""));
    const page = await open(browser, host.url);
    await warm(page);
    await page.evaluate(() => {
      globalThis.__gaps = []; globalThis.__first = 0;
      const began = performance.now();
      let last = began;
      const tick = () => { const now = performance.now(); globalThis.__gaps.push(now - last); last = now; requestAnimationFrame(tick); };
      requestAnimationFrame(tick);
      new MutationObserver(() => { if (!globalThis.__first && document.querySelector("#verdict")) globalThis.__first = performance.now() - began; }).observe(document.querySelector("#main"), { childList: true, subtree: true });
    });
    await page.setInputFiles("#picker", file);
    await page.waitForSelector("#result:not([hidden]) .trust", { timeout: 300_000 });
    assert.equal(await verdict(page), "Under attack");
    const { gap, first, nodes } = await page.evaluate(() => ({ gap: Math.max(...globalThis.__gaps), first: globalThis.__first, nodes: document.querySelectorAll("*").length }));
    report("50 MB file", (await text(page, ".trust")).match(/analysed.*?MB\/s\)/)?.[0] ?? "?", "15 MB/s");
    report("50 MB file: first verdict while reading", `${Math.round(first)} ms`, "soon");
    report("50 MB file: longest pause of the page", `${Math.round(gap)} ms`, "200 ms");
    assert.ok(nodes < 20_000, `${nodes} elements`);
    await page.context().close();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

/** large writes a log that takes many seconds: an attack, then n normal lines of 300 bytes. */
function large(n) {
  const dir = mkdtempSync(join(tmpdir(), "vanguard-stop-")), file = join(dir, "big.log");
  const normal = log("nginx-normal.log"), lines = normal.split("\n").length - 1;
  writeFileSync(file, log("nginx-sqli.log") + normal.repeat(Math.ceil(n / lines)));
  return { file, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** reading gives the page a large file, and returns it when a first verdict stands and most is still to be read. */
async function reading(page) {
  const big = large(600_000);
  await warm(page);
  await page.setInputFiles("#picker", big.file);
  await page.waitForSelector("#sofar #verdict");
  return big;
}

test("stop, and keep what was found", async () => {
  const page = await open(browser, host.url);
  const big = await reading(page);
  try {
    const began = Date.now();
    await page.evaluate(() => document.querySelector("#stop").click());
    await judged(page);
    report("stop", `${Date.now() - began} ms`, "at once");
    assert.match(await text(page, ".trust"), /stopped: the rest was not read/);
    const lines = Number(/([\d,]+) lines understood/.exec(await text(page, ".trust"))[1].replaceAll(",", ""));
    assert.ok(lines < 400_000, `${lines} lines were read all the same`);
    assert.equal(await verdict(page), "Under attack");
  } finally {
    big.remove();
    await page.context().close();
  }
});

test("other logs while reading: what was begun is dropped", async () => {
  const page = await open(browser, host.url);
  const big = await reading(page);
  try {
    assert.ok(await page.isHidden("#change"), "lines that are still read are not to be changed");
    const began = Date.now();
    await page.click("#again");
    await paste(page, log("founding.log"));
    const ms = Date.now() - began;
    report("a paste while a large file is read", `${ms} ms`, "at once");
    assert.equal(await verdict(page), "Probed");
    assert.match(await text(page, "#bar"), /pasted lines\s+1 line/);
    await page.waitForTimeout(500);
    assert.equal(await verdict(page), "Probed");
    // A large file alone takes ten times as long on the slowest machine that runs this.
    assert.ok(ms < 5000, `${ms} ms`);
  } finally {
    big.remove();
    await page.context().close();
  }
});
