// What people do on the page, from paste to share.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { again, drop, example, exported, judged, keep, launch, log, open, paste, ready, scan, serve, text, verdict } from "./harness.mjs";

let host, browser;
before(async () => { [host, browser] = await Promise.all([serve(), launch()]); });
after(async () => { await browser?.close(); await host?.stop(); });

const journey = (name, f, options) => test(name, async () => {
  const page = await open(browser, host.url, options);
  try {
    await f(page);
    assert.deepEqual(page.errors, []);
  } finally {
    await page.context().close();
  }
});

journey("paste of the line that started it all", async (page) => {
  await paste(page, log("founding.log"));
  assert.equal(await verdict(page), "Probed");
  const top = await text(page, ".top");
  for (const part of ["only attempted", "192.168.1.100", "private address", "Biggest doubt", "single line", "Paste five minutes either side", "0 bytes sent", "1/1 lines understood", "analysed on this device in"]) assert.ok(top.includes(part), `${part} is missing in:\n${top}`);
  assert.match(await text(page, ".finding .badge"), /Blocked/);
  assert.equal(await text(page, ".evidence mark"), "Unauthorized access");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "verdict"); // the keyboard and a screen reader go on from the answer
  assert.match(await text(page, ".cli pre"), /\| vanguard scan -/);
});

for (const [name, want] of [["founding", "Probed"], ["wordpress", "Compromise likely"], ["cloudtrail", "Compromise likely"]]) {
  journey(`example: ${name}`, async (page) => {
    await example(page, name);
    assert.equal(await verdict(page), want);
    for (const id of ["#now-title", "#stages-title", "#findings-title", "#entities-title", "#unseen-title", "#take-title"]) assert.ok(await page.isVisible(id), id);
    assert.equal(await page.isVisible("#timeline-title"), name !== "founding"); // one line without a time has none
    // What counts stands above the fold.
    for (const part of ["#verdict", ".odds", ".doubt", ".facts", ".now .first", ".trust"]) assert.ok((await page.locator(part).boundingBox()).y < 800, `${part} lies below the fold`);
  });
}

journey("drop of a file, of a packed file, of several", async (page) => {
  await drop(page, [{ name: "sshd-auth.log", text: log("sshd-auth.log") }]);
  assert.equal(await verdict(page), "Compromise likely");
  assert.match(await text(page, "#bar"), /sshd-auth\.log/);
  const plain = JSON.parse(await exported(page, "json", { secrets: true }));
  await page.click("#again");
  await drop(page, [{ name: "sshd-auth.log", base64: gzipSync(log("sshd-auth.log")).toString("base64") }]);
  assert.deepEqual(JSON.parse(await exported(page, "json", { secrets: true })), plain);
  await page.click("#again");
  await drop(page, [{ name: "a.log", text: log("nginx-normal.log") }, { name: "b.log", text: log("nginx-sqli.log") }]);
  assert.equal(await verdict(page), "Under attack");
  assert.match(await text(page, "#bar"), /a\.log, b\.log/);
});

journey("filter by an entity, by time, by both, and back", async (page) => {
  await example(page, "wordpress");
  const shown = () => page.locator(".findings > div > .list > .finding:visible").count();
  const all = await shown();
  assert.ok(all >= 4);
  await page.click('.rail button.entity[data-entity="/wp-login.php"]');
  assert.ok(await shown() < all);
  assert.match(await text(page, ".filterbar"), /\/wp-login\.php/);
  assert.equal(await page.getAttribute('.rail button.entity[data-entity="/wp-login.php"]', "aria-pressed"), "true");
  // The timeline says what it shows of an entity: all of its events by their first and last, and where its quoted lines stand.
  const told = JSON.parse(await exported(page, "json", { secrets: true })).findings.filter((f) => f.targets?.some((t) => t.value === "/wp-login.php"));
  const sum = (of) => told.reduce((n, f) => n + of(f), 0);
  assert.ok(sum((f) => f.events) > sum((f) => f.evidence.length), "more events than quoted lines");
  assert.ok((await text(page, ".legend")).includes(`${sum((f) => f.events)} events in ${told.length} finding`) && (await text(page, ".legend")).includes(`${sum((f) => f.evidence.length)} quoted lines marked`), await text(page, ".legend"));
  assert.equal(await page.locator(".chart rect.band").count(), told.length);
  assert.ok(await page.locator(".chart rect.mark").count() > 0, "the timeline shows where the entity's lines stand");
  await page.click(".filterbar button");
  assert.equal(await shown(), all);
  // Brushing: from the middle of the chart to its right end lies after the guessing.
  await page.locator(".brush").scrollIntoViewIfNeeded();
  const box = await page.locator(".brush").boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.99, box.y + 20, { steps: 5 });
  await page.mouse.up();
  assert.ok(await shown() < all, "findings of another time are hidden");
  assert.match(await text(page, ".chosen"), /2026-11-23 03:/);
  await page.click("text=Show all times");
  assert.equal(await shown(), all);
  // The same with the keyboard alone.
  await page.focus('input[aria-label="Show until"]');
  for (let i = 0; i < 30; i++) await page.keyboard.press("ArrowLeft");
  assert.match(await page.getAttribute('input[aria-label="Show until"]', "aria-valuetext"), /^2026-11-23T03:/);
  assert.ok(await page.isVisible("text=Judge only this time"));
  await page.click("text=Judge only this time");
  await again(page);
  assert.match(await text(page, "#unseen-title ~ .problems"), /outside the time range/);
});

journey("remove lines and judge again", async (page) => {
  await drop(page, [{ name: "mixed.log", text: log("mixed.log") }]);
  const before = JSON.parse(await exported(page, "json", { secrets: true }));
  // Judged by the page, and by hand: the lines cut out of the text, their places kept by empty lines, give the same findings.
  const lines = before.findings[0].evidence.map((e) => e.line);
  const cut = log("mixed.log").split("\n").map((l, i) => lines.includes(i + 1) ? "" : l).join("\n");
  await page.click(".finding:first-child .evidence .actions button");
  await again(page);
  assert.match(await text(page, ".whatif"), new RegExp(`without ${lines.length} lines`));
  const after = JSON.parse(await exported(page, "json", { secrets: true }));
  assert.notDeepEqual(after.findings, before.findings);
  await page.click("text=Back to all lines");
  await page.waitForFunction(() => !document.querySelector(".whatif") && document.querySelector("#result .columns"));
  assert.deepEqual(JSON.parse(await exported(page, "json", { secrets: true })), before);
  await page.click("#again");
  await drop(page, [{ name: "mixed.log", text: cut }]);
  const byHand = JSON.parse(await exported(page, "json", { secrets: true }));
  assert.deepEqual(after.findings, byHand.findings);
  assert.equal(after.verdict, byHand.verdict);
});

journey("one record of many on a line can be removed by itself", async (page) => {
  await example(page, "cloudtrail");
  const before = JSON.parse(await exported(page, "json", { secrets: true }));
  await page.check(".finding:first-child .evidence tbody tr:first-child input");
  assert.equal(await text(page, ".finding:first-child .evidence .actions button"), "Remove this line and judge again");
  await page.click(".finding:first-child .evidence .actions button");
  await again(page);
  const after = JSON.parse(await exported(page, "json", { secrets: true }));
  assert.equal(after.input.lines, before.input.lines - 1);
});

journey("this is benign: an entry, and what else it hides", async (page) => {
  await example(page, "wordpress");
  await page.click("text=This is benign…");
  await page.check("dialog input >> nth=0"); // the address
  await page.waitForSelector("dialog .change");
  const told = await text(page, "dialog .preview");
  assert.match(told, /This finding goes away/);
  assert.match(told, /It also hides 4 findings/);
  assert.match(told, /Web shell/);
  assert.match(told, /Compromise likely 99% → . Probed/);
  assert.equal(await text(page, "dialog .block pre"), "--allow 203.0.113.45");
  await page.click("dialog button.main");
  await again(page);
  assert.equal(await verdict(page), "Probed");
  assert.match(await text(page, ".cli pre"), /vanguard scan --allow 203\.0\.113\.45 wordpress-apache\.log/);
  assert.deepEqual(JSON.parse(await exported(page, "json", { secrets: true })), JSON.parse(await scan(["-o", "json", "--allow", "203.0.113.45", "wordpress-apache.log"])));
});

journey("explain a line", async (page) => {
  await example(page, "founding");
  await page.click(".evidence button.link");
  assert.match(await text(page, "dialog pre"), /api_denied_message/);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !document.querySelector("dialog"));
});

journey("exports are what the command line prints", async (page) => {
  await example(page, "founding");
  for (const format of ["json", "md", "html", "ocsf"]) {
    const got = await exported(page, format, { secrets: true });
    const want = await scan(["-o", format, "founding.log"]);
    if (format === "ocsf") assert.deepEqual(timeless(JSON.parse(got)), timeless(JSON.parse(want)));
    else assert.equal(got, want, format);
  }
});

// OCSF demands a time of every finding; that of a line without one is when the report was made.
const timeless = (v) => JSON.parse(JSON.stringify(v, (k, x) => typeof x === "number" && x > 1e12 ? 0 : /time/.test(k) && typeof x === "string" ? "" : x));

journey("secrets are hidden, counted, and never shared", async (page) => {
  const lines = ["203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] \"GET /p?token=s3cr3tt0k3n&id=1%20UNION%20SELECT%201,2 HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"",
    "203.0.113.9 - - [23/Nov/2026:03:10:12 +0000] \"GET /p?api_key=k3yk3yk3y&id=../../../../etc/passwd HTTP/1.1\" 404 12 \"-\" \"Mozilla/5.0\""].join("\n");
  await paste(page, lines);
  assert.match(await text(page, ".trust"), /secrets? hidden/);
  const all = await page.evaluate(() => document.querySelector("#result").textContent);
  assert.ok(!all.includes("s3cr3tt0k3n") && !all.includes("k3yk3yk3y"));
  assert.ok(all.includes("[hidden]"));
  assert.ok(!(await exported(page, "json")).includes("s3cr3tt0k3n"));
  assert.ok((await exported(page, "json", { secrets: true })).includes("s3cr3tt0k3n"), "the user may keep them in a file of their own");
  const link = await share(page);
  const reader = await browser.newPage();
  await reader.goto(link);
  await reader.click("text=Open the report");
  await judged(reader);
  const shared = await reader.evaluate(() => document.body.textContent);
  assert.ok(shared.includes("[hidden]") && !shared.includes("s3cr3tt0k3n"));
  await reader.close();
});

/** share goes through the dialog and returns the link. */
async function share(page, { password = "", burn = false, withLogs = false } = {}) {
  await page.click("text=Share an encrypted link…");
  if (password) await page.fill("#share-password", password);
  if (burn) await page.check("#share-burn");
  if (withLogs) await page.check("#share-logs");
  await page.click("text=Encrypt and share");
  await page.waitForSelector("#share-link", { timeout: 30_000 });
  const link = await page.inputValue("#share-link");
  await page.keyboard.press("Escape");
  return link;
}

journey("share, open, read, filter", async (page) => {
  await example(page, "wordpress");
  const sent = [];
  page.context().on("request", (r) => { if (r.method() === "POST") sent.push(r.postData() ?? ""); });
  const link = await share(page);
  assert.match(link, /\/s\/[\w-]+#[\w-]{43}$/);
  assert.equal(sent.length, 1);
  const key = link.split("#")[1];
  assert.ok(!sent[0].includes(key) && !sent[0].includes("203.0.113.45") && !sent[0].includes("wp-login"), "only ciphertext leaves");
  assert.deepEqual(Object.keys(JSON.parse(sent[0])).sort(), ["burn", "ciphertext", "expires", "iv", "open_hash"]);

  const reader = await browser.newPage();
  const asked = [];
  reader.on("request", (r) => { if (r.url().includes("/api/")) asked.push(r.method()); });
  await reader.goto(link);
  await reader.waitForSelector("text=Open the report");
  assert.deepEqual(asked, [], "looking at the link opens nothing");
  await reader.click("text=Open the report");
  await judged(reader);
  assert.equal(await verdict(reader), "Compromise likely");
  assert.match(await text(reader, ".trust"), /decrypted on this device/);
  assert.ok(!await reader.isVisible("text=Remove these"), "a shared report is for reading");
  await reader.click('.rail button.entity[data-entity="203.0.113.45"]');
  assert.match(await text(reader, ".filterbar"), /203\.0\.113\.45/);
  assert.equal(await reader.evaluate(() => fetch("/healthz").then(() => "connected", () => "refused")), "refused");
  await reader.close();
});

journey("share with a password that burns", async (page) => {
  await example(page, "founding");
  const link = await share(page, { password: "Grüße 🔑", burn: true });
  const reader = await browser.newPage();
  await reader.goto(link);
  await reader.click("text=Open the report");
  await reader.waitForSelector("#open-password:visible");
  await reader.fill("#open-password", "wrong");
  await reader.keyboard.press("Enter");
  await reader.waitForSelector("text=wrong password");
  await reader.fill("#open-password", "Grüße 🔑");
  await reader.keyboard.press("Enter");
  await judged(reader);
  assert.equal(await verdict(reader), "Probed");
  assert.match(await text(reader, "#bar"), /deleted from the server/);
  await reader.goto("about:blank");
  await reader.goto(link);
  await reader.click("text=Open the report");
  await reader.waitForSelector("text=there is no such share");
  await reader.goto("about:blank");
  await reader.goto(link.split("#")[0] + "#short");
  await reader.waitForSelector("text=This link is not whole");
  await reader.close();
});

journey("a share that burns says so, and waits for a second, explicit click", async (page) => {
  await example(page, "founding");
  const link = await share(page, { burn: true });
  const reader = await browser.newPage();
  const asked = [];
  reader.on("request", (r) => { if (r.url().includes("/api/")) asked.push(r.method()); });
  await reader.goto(link);
  await reader.dblclick("text=Open the report"); // impatient people's first click is two
  await reader.waitForSelector("text=This can be read once");
  await reader.keyboard.press("Enter");
  await reader.waitForTimeout(1000);
  assert.deepEqual(asked, ["GET"], "nothing was opened before the reader agreed");
  assert.equal((await fetch(link.split("#")[0].replace("/s/", "/api/v1/shares/"))).status, 200, "the share is still there");
  await reader.click("text=Read it now, and delete it");
  await judged(reader);
  assert.equal(await verdict(reader), "Probed");
  assert.match(await text(reader, "#bar"), /deleted from the server/);
  assert.equal((await fetch(link.split("#")[0].replace("/s/", "/api/v1/shares/"))).status, 404);
  await reader.close();
});

journey("a share of another version, or one made to deceive", async (page) => {
  await example(page, "founding");
  const report = JSON.parse(await exported(page, "json"));
  const reader = await browser.newPage();
  const read = async (content) => {
    await reader.goto("about:blank");
    await reader.goto(await keep(host.url, content));
    await reader.click("text=Open the report");
  };
  for (const content of [{ schema: "vanguard.share/9", report }, { schema: "vanguard.share/1", report: { ...report, schema: "vanguard.report/2" } }, { schema: "vanguard.share/1" }]) {
    await read(content);
    await reader.waitForSelector("text=made by another version");
  }
  const evil = "\u202e<img src=x onerror=globalThis.__ran=1>\x1b[31m";
  const all = (v, k) => typeof v === "string" ? (/^(schema|verdict|outcome|id|first_seen|last_seen|start|type)$/.test(k) ? v : v + evil) : Array.isArray(v) ? v.map((x) => all(x, k)) : v && typeof v === "object" ? Object.fromEntries(Object.entries(v).map(([key, x]) => [key, all(x, key)])) : v;
  await read({ schema: "vanguard.share/1", report: all(report, "") });
  await judged(reader);
  const found = await reader.evaluate(() => ({ ran: globalThis.__ran ?? "nothing", images: document.querySelectorAll("img").length, raw: /[\u0000-\u0008\u000b-\u001f\u202a-\u202e]/.test(document.body.textContent) }));
  assert.deepEqual(found, { ran: "nothing", images: 0, raw: false });
  await reader.close();
});

journey("without the classifier, and with it again", async (page) => {
  await example(page, "wordpress");
  const both = JSON.parse(await exported(page, "json", { secrets: true }));
  assert.ok(both.engine.model);
  await page.click("text=Judge without the classifier");
  await again(page);
  assert.match(await text(page, ".whatif"), /by the rules alone/);
  assert.match(await text(page, "#judged-title + p"), /The rules alone/);
  assert.match(await text(page, ".cli pre"), /vanguard scan --no-model wordpress-apache\.log/);
  const alone = await exported(page, "json", { secrets: true });
  assert.equal(JSON.parse(alone).engine.model, undefined);
  assert.ok(!alone.includes('"model:'));
  assert.deepEqual(JSON.parse(alone), JSON.parse(await scan(["-o", "json", "--no-model", "wordpress-apache.log"])));
  await page.click("text=Back to the first verdict");
  await page.waitForFunction(() => !document.querySelector(".whatif") && document.querySelector("#result .columns"));
  assert.deepEqual(JSON.parse(await exported(page, "json", { secrets: true })), both);
  // The same as an option, before anything is judged.
  await page.click("#again");
  await page.click("summary:has-text('Options')");
  await page.uncheck("#classifier");
  await paste(page, log("wordpress-apache.log"));
  assert.equal(JSON.parse(await exported(page, "json")).engine.model, undefined);
  await page.click("text=Judge with the classifier");
  await again(page);
  assert.equal(JSON.parse(await exported(page, "json")).engine.model, both.engine.model);
});

journey("keyboard only: from an example to a copied step", async (page) => {
  const to = async (selector) => {
    for (let i = 0; i < 120; i++) {
      if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) {
        const ring = await page.evaluate(() => { const c = getComputedStyle(document.activeElement); return c.outlineStyle !== "none" && parseFloat(c.outlineWidth) >= 2 || document.activeElement.matches("input[type=range]"); });
        assert.ok(ring, `${selector} shows no focus`);
        return;
      }
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${selector}`);
  };
  await to('[data-example="wordpress"]');
  await page.keyboard.press("Enter");
  await judged(page);
  await to(".now header button");
  await page.keyboard.press("Enter");
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^1\. Change that account/);
  await to(".now button.code");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "wp user session destroy USER --all");
  await to('input[aria-label="Show from"]');
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.isVisible(".filterbar"));
  await page.keyboard.press("Home");
  await to('.finding:nth-child(2) .head');
  await page.keyboard.press("Space");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-expanded")), "true");
  await to(".finding:nth-child(2) button.entity");
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.activeElement.matches("button.entity")), "filtering keeps the focus where it is");
  await to(".rail button.main");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  assert.ok(await page.evaluate(() => document.activeElement.matches(".rail button.main")), "a closed dialog gives the focus back");
});

journey("states: nothing, unreadable, normal, not text", async (page) => {
  await page.click("#judge");
  assert.match(await text(page, "#hint"), /Paste some lines first/);
  await paste(page, "lorem ipsum\ndolor sit amet\nconsectetur\n".repeat(20));
  assert.equal(await verdict(page), "Can’t tell");
  assert.match(await text(page, ".now"), /format/i);
  await page.click("#again");
  await drop(page, [{ name: "nginx-normal.log", text: log("nginx-normal.log") }]);
  assert.equal(await verdict(page), "Looks normal");
  assert.match(await text(page, ".findings"), /no proof that nothing happened/);
  assert.match(await text(page, ".rail"), /request bodies/);
  await page.click("#again");
  await drop(page, [{ name: "picture.png", base64: Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01").toString("base64") }]);
  assert.equal(await verdict(page), "Can’t tell");
});

journey("a paste that is too large for a text box", async (page) => {
  const text = log("nginx-normal.log").repeat(20) + log("nginx-sqli.log");
  await paste(page, text);
  assert.equal(await verdict(page), "Under attack");
  await page.click("#change");
  assert.ok((await page.inputValue("#lines")).length <= 4000, "the box shows a preview");
});

journey("options: a format by its log_format", async (page) => {
  const line = (p) => `nov-23|192.0.2.1|${p}|200`;
  await page.click("summary:has-text('Options')");
  await page.fill("#format", "$time_local_date|$remote_addr|$request_uri|$status");
  await page.fill("#lines", [line("/"), line("/a"), line("/x?id=1%27%20UNION%20SELECT%20password%20FROM%20users--")].join("\n"));
  await page.click("#judge");
  await judged(page);
  assert.match(await text(page, ".findings"), /SQL injection/i);
});

journey("a paste over the front of a file is what is judged", async (page) => {
  await drop(page, [{ name: "nginx-sqli.log", text: log("nginx-sqli.log") }]);
  await page.click("#change");
  assert.match(await text(page, "#hint"), /beginning of nginx-sqli\.log/);
  await page.evaluate((t) => navigator.clipboard.writeText(t), log("founding.log"));
  await page.focus("#lines");
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Control+V");
  await page.waitForSelector("#result:not([hidden]) .columns");
  assert.match(await text(page, "#bar"), /pasted lines\s+1 line/);
  await page.click("#change");
  assert.equal(await page.inputValue("#lines"), log("founding.log"));
});

journey("what could not be read is said beside the verdict", async (page) => {
  const packed = gzipSync(log("nginx-normal.log").repeat(5));
  await drop(page, [{ name: "cut.log.gz", base64: packed.subarray(0, packed.length / 2).toString("base64") }]);
  assert.equal(await verdict(page), "Looks normal");
  assert.match(await text(page, ".doubt"), /not all of it was read: cut\.log\.gz: unexpected end of the compressed file/);
  await page.click("#again");
  await drop(page, [{ name: `${"a".repeat(200)}.bin`, base64: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0]).toString("base64") }]);
  assert.match(await text(page, ".summary"), /Nothing could be read: a+\.bin: is a program\./);
  assert.ok((await page.locator("#bar-name").boundingBox()).height < 60, "a long name is shortened");
});
