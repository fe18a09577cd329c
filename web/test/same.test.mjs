// The page's report equals the command line's, field for field.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { drop, exported, launch, log, logs, open, paste, scan, serve } from "./harness.mjs";

let host, browser, page;
before(async () => { [host, browser] = await Promise.all([serve(), launch()]); page = await open(browser, host.url); });
after(async () => { await browser?.close(); await host?.stop(); });

for (const name of readdirSync(logs)) {
  test(name, async () => {
    if (await page.isVisible("#again")) await page.click("#again");
    await drop(page, [{ name, text: log(name) }]);
    assert.deepEqual(JSON.parse(await exported(page, "json", { secrets: true })), JSON.parse(await scan(["-o", "json", name])));
  });
}

test("several files are judged as one, in whatever order they come", async () => {
  const names = readdirSync(logs);
  await page.click("#again");
  await drop(page, [...names].reverse().map((name) => ({ name, text: log(name) })));
  assert.deepEqual(JSON.parse(await exported(page, "json", { secrets: true })), JSON.parse(await scan(["-o", "json", ...names])));
});

test("pasted lines are what is piped in", async () => {
  await page.click("#again");
  await paste(page, log("node-pino.log"));
  assert.deepEqual(JSON.parse(await exported(page, "json", { secrets: true })), JSON.parse(await scan(["-o", "json", "-"], log("node-pino.log"))));
});

test("secrets hidden: the same as --redact", async () => {
  const lines = `203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] "GET /p?password=hunter2&f=../../../../etc/passwd HTTP/1.1" 200 512 "-" "curl/8"\n`;
  await page.click("#again");
  await paste(page, lines);
  const got = JSON.parse(await exported(page, "json"));
  assert.equal(got.redacted > 0, true);
  assert.deepEqual(got, JSON.parse(await scan(["-o", "json", "--redact", "-"], lines)));
});

// With CASES="FILE..." in the environment, 200 of the labelled cases in those files (a line each, as `vanguard eval`
// reads them), spread evenly, are pasted as well.
const files = (process.env.CASES ?? "").split(/\s+/).filter(Boolean);
for (const file of files) {
  test(`cases of ${file}`, async () => {
    const all = readFileSync(file, "utf8").split("\n").filter(Boolean);
    const step = Math.max(1, Math.floor(all.length / Math.ceil(200 / files.length)));
    for (let i = 0; i < all.length; i += step) {
      const { id, lines } = JSON.parse(all[i]);
      if (await page.isVisible("#again")) await page.click("#again");
      await paste(page, lines.join("\n") + "\n");
      assert.deepEqual(JSON.parse(await exported(page, "json", { secrets: true })), JSON.parse(await scan(["-o", "json", "-"], lines.join("\n") + "\n")), id);
    }
  });
}
