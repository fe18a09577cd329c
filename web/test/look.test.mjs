// For everybody: WCAG 2.2 AA by axe in every main state, dark and light; reflow at 320 px and at 200 %; reduced motion.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { again, drop, example, keep, launch, log, open, paste, serve, unfold } from "./harness.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let host, browser;
before(async () => { [host, browser] = await Promise.all([serve(), launch()]); });
after(async () => { await browser?.close(); await host?.stop(); });

const STATES = {
  empty: async () => undefined,
  "the founding line": (page) => paste(page, log("founding.log")),
  "compromise likely": async (page) => {
    await example(page, "wordpress");
    await unfold(page);
  },
  filtered: async (page) => { await example(page, "wordpress"); await page.click(".rail button.entity >> nth=0"); },
  "looks normal": (page) => drop(page, [{ name: "nginx-normal.log", text: log("nginx-normal.log") }]),
  "can't tell": (page) => paste(page, "lorem ipsum\ndolor sit\n".repeat(20)),
  "judged again": async (page) => { await example(page, "wordpress"); await page.click(".finding:first-child .evidence .actions button"); await again(page); },
  "benign?": async (page) => { await example(page, "wordpress"); await page.click("text=This is benign…"); await page.check("dialog input >> nth=0"); await page.waitForSelector("dialog .change"); },
  sharing: async (page) => { await example(page, "founding"); await page.click("text=Share an encrypted link…"); },
  "a share that burns": async (page) => { await page.goto(await keep(host.url, { schema: "vanguard.share/1", report: {} }, { burn: true })); await page.click("text=Open the report"); await page.waitForSelector("text=This can be read once"); await page.waitForSelector("button.main:enabled"); },
  explained: async (page) => { await example(page, "founding"); await page.click(".evidence button.link"); await page.waitForSelector("dialog pre"); },
};

for (const colorScheme of ["light", "dark"]) {
  for (const [name, reach] of Object.entries(STATES)) {
    test(`axe: ${name}, ${colorScheme}`, async () => {
      const page = await open(browser, host.url, { colorScheme });
      await reach(page);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html + " " + (n.any[0]?.message ?? "")).join(" | ")}`), []);
      await page.context().close();
    });
  }
}

const NARROW = { "320 px": { viewport: { width: 320, height: 640 } }, "1280 px at 200 %": { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }, "1280 px at 400 %": { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 } };
for (const [size, options] of Object.entries(NARROW)) {
  for (const [name, reach] of Object.entries(STATES)) {
    test(`reflow at ${size}: ${name}`, async () => {
      const page = await open(browser, host.url, options);
      await reach(page);
      const wide = await page.evaluate(() => {
        const limit = document.documentElement.clientWidth;
        // What scrolls by itself (a block of code) may be wider inside.
        const scrolls = (e) => { for (let p = e.parentElement; p; p = p.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(p).overflowX)) return true; return false; };
        return { page: document.documentElement.scrollWidth - limit, parts: [...document.querySelectorAll("main *, dialog *")].filter((e) => e.offsetParent && !e.classList.contains("offscreen") && e.getBoundingClientRect().right > limit + 1 && !scrolls(e)).map((e) => `${e.tagName}.${e.className}`) };
      });
      assert.ok(wide.page <= 0, `${wide.page} px too wide`);
      assert.deepEqual(wide.parts, []);
      await page.context().close();
    });
  }
}

test("reduced motion: nothing moves by itself", async () => {
  const page = await open(browser, host.url);
  await example(page, "wordpress");
  assert.deepEqual(await page.evaluate(() => document.getAnimations().map((a) => a.animationName ?? "transition")), []);
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((e) => parseFloat(getComputedStyle(e).transitionDuration) > 0 || getComputedStyle(e).animationName !== "none").length);
  assert.equal(moving, 0);
  await page.context().close();
});

test("touch targets are large enough, the language is named, one h1 at a time", async () => {
  const page = await open(browser, host.url, { viewport: { width: 390, height: 844 }, hasTouch: true });
  await example(page, "wordpress");
  const found = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    h1: [...document.querySelectorAll("h1")].filter((e) => e.offsetParent).length,
    small: [...document.querySelectorAll("button, summary, input")].filter((e) => e.offsetParent && !e.closest("p, li, dd") && Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height) < 18).map((e) => e.outerHTML.slice(0, 80)),
  }));
  assert.deepEqual(found, { lang: "en", h1: 1, small: [] });
  await page.context().close();
});
