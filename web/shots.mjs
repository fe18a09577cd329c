// Takes the pictures of docs/page/: `npm run shots`, after make build.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { again, drop, example, keep, launch, log, open, serve } from "./test/harness.mjs";

const out = process.argv[2] ?? fileURLToPath(new URL("../docs/page/", import.meta.url));
mkdirSync(out, { recursive: true });
const [host, browser] = await Promise.all([serve(), launch()]);

const SIZES = { phone: { width: 390, height: 844 }, tablet: { width: 768, height: 1024 }, laptop: { width: 1280, height: 800 }, wide: { width: 1920, height: 1080 } };
const file = (name) => (page) => drop(page, [{ name, text: log(name) }]);
const STATES = {
  empty: async () => undefined,
  founding: (page) => example(page, "founding"),
  compromise: (page) => example(page, "wordpress"),
  cloud: (page) => example(page, "cloudtrail"),
  normal: file("nginx-normal.log"),
  probed: file("nginx-probed.log"),
  unreadable: (page) => drop(page, [{ name: "notes.txt", text: "lorem ipsum\ndolor sit amet\n".repeat(30) }]),
  hostile: (page) => drop(page, [{ name: "x.log", text: '203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] "GET /../../../etc/passwd?<img src=x onerror=alert(1)>\u202e\x1b[31m HTTP/1.1" 200 512 "-" "curl/8"\n' }]),
  finding: async (page) => { await example(page, "wordpress"); await page.locator("#findings-title").scrollIntoViewIfNeeded(); await page.evaluate(() => document.querySelector("#findings-title").scrollIntoView()); },
  story: async (page) => { await example(page, "wordpress"); await page.evaluate(() => document.querySelector("#stages-title").scrollIntoView()); },
  filtered: async (page) => { await example(page, "wordpress"); await page.click(".rail button.entity >> nth=4"); await page.evaluate(() => document.querySelector(".timeline").scrollIntoView()); },
  benign: async (page) => { await example(page, "wordpress"); await page.click("text=This is benign…"); await page.check("dialog input >> nth=0"); await page.waitForSelector("dialog .change"); },
  again: async (page) => { await example(page, "wordpress"); await page.click(".finding:first-child .evidence .actions button"); await again(page); },
  share: async (page) => { await example(page, "wordpress"); await page.click("text=Share an encrypted link…"); },
};
// A share that burns, as its reader meets it.
STATES.once = async (page) => {
  await page.goto(await keep(host.url, { schema: "vanguard.share/1", report: {} }, { burn: true }));
  await page.click("text=Open the report");
  await page.waitForSelector("text=This can be read once");
};
// Which states at which sizes: "all" is for looking at, the default for the docs.
const DOCS = [["empty", "laptop", "light"], ["compromise", "laptop", "light"], ["compromise", "laptop", "dark"], ["founding", "phone", "dark"], ["finding", "laptop", "light"], ["normal", "tablet", "light"]];
const only = process.argv[3]?.split(",");
const wanted = only ? Object.keys(STATES).filter((s) => only.includes("all") || only.includes(s)).flatMap((s) => (process.argv[4] ?? "phone,tablet,laptop,wide").split(",").flatMap((z) => (process.argv[5] ?? "light,dark").split(",").map((c) => [s, z, c]))) : DOCS;

for (const [state, size, colorScheme] of wanted) {
  const page = await open(browser, host.url, { viewport: SIZES[size], colorScheme });
  await STATES[state](page);
  await page.evaluate(() => document.activeElement?.matches("textarea") && document.activeElement.blur());
  await page.screenshot({ path: `${out}/${state}-${size}-${colorScheme}.png` });
  await page.context().close();
}
await browser.close();
await host.stop();
