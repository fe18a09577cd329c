// The log is hostile: markup, scripts, escapes and giants in every field of every format. None runs, none breaks the layout.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { drop, launch, open, serve, text, unfold } from "./harness.mjs";

let host, browser;
before(async () => { [host, browser] = await Promise.all([serve(), launch()]); });
after(async () => { await browser?.close(); await host?.stop(); });

const PAYLOADS = [
  `<img src=x onerror=globalThis.__ran=1>`, `"><svg/onload=globalThis.__ran=1>`, `</script><script>globalThis.__ran=1</script>`, `javascript:globalThis.__ran=1`,
  `<iframe srcdoc='<script>parent.__ran=1</script>'>`, `<a href="javascript:globalThis.__ran=1">x</a>`, `<style>*{display:none}</style>`, `<base href=//198.51.100.1/>`, `<meta http-equiv=refresh content=0>`,
  `{{constructor.constructor('globalThis.__ran=1')()}}`, `\${globalThis.__ran=1}`, `</textarea></table></section><h1>CLEAN</h1>`, `<!--`, `&lt;img src=x onerror=globalThis.__ran=1&gt;`,
  `\x1b[2J\x1b[31m`, `\u202egpj.exe`, `\u200b\u2066x\u2069`, `=cmd|'/c calc'!A1`, "Z\u0351\u0352\u0357\u035b\u0363".repeat(60), "W".repeat(3000), "\u0000\u0007\u0085", "\ud800", `]]></x>`, "`wp user delete 1`",
];

// One attack per format, so that the lines are shown as evidence; X is where the payload goes. url: what a request line can carry.
const url = (p) => encodeURI(p.replace(/[\ud800-\udfff]/g, "")).replaceAll("%3C", "<").replaceAll("%3E", ">").replaceAll("%22", "'");
const bare = (p) => p.replaceAll('"', "'").replace(/[\n\r]/g, "");
const FORMATS = {
  "combined path": (p) => `203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] "GET /../../../etc/passwd?x=${url(p)} HTTP/1.1" 200 512 "-" "curl/8"`,
  "combined user": (p) => `203.0.113.9 - ${bare(p).replaceAll(" ", "")} [23/Nov/2026:03:10:11 +0000] "GET /../../../etc/passwd HTTP/1.1" 200 512 "-" "curl/8"`,
  "combined referer": (p) => `203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] "GET /?q=1%27%20UNION%20SELECT%20a,b%20FROM%20users-- HTTP/1.1" 200 512 "${bare(p)}" "curl/8"`,
  "combined user agent": (p) => `203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] "GET /?q=1%27%20UNION%20SELECT%20a,b%20FROM%20users-- HTTP/1.1" 500 512 "-" "${bare(p)}"`,
  "combined method": (p) => `203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] "${bare(p).slice(0, 60)} /../../../etc/passwd HTTP/1.1" 400 0 "-" "-"`,
  "nginx error": (p) => `2026/11/23 03:10:11 [error] 7#7: *1 open() "/srv/www/../../etc/passwd${bare(p)}" failed (2: No such file or directory), client: 203.0.113.9, server: example.com, request: "GET /../../etc/passwd${url(p)} HTTP/1.1", host: "example.com"`,
  "JSON message": (p) => JSON.stringify({ level: 50, time: 1795402537058, msg: `Unauthorized access attempt detected for API /v1/deleteUser ${p}`, req: { method: "POST", url: "/v1/deleteUser", remoteAddress: "203.0.113.9" }, res: { statusCode: 403 } }),
  "JSON body and key": (p) => JSON.stringify({ level: 30, time: 1795402537058, [p]: p, msg: "request completed", req: { method: "GET", url: `/files?name=../../../../etc/passwd&x=${p}`, remoteAddress: "203.0.113.9", headers: { "user-agent": p, host: p } }, user: p, res: { statusCode: 200 } }),
  "CloudTrail": (p) => JSON.stringify({ eventVersion: "1.08", eventTime: "2026-11-23T03:10:11Z", eventSource: "iam.amazonaws.com", eventName: "CreateAccessKey", awsRegion: "us-east-1", sourceIPAddress: "203.0.113.9", userAgent: p, userIdentity: { type: "IAMUser", arn: `arn:aws:iam::111122223333:user/${p}`, userName: p, accountId: "111122223333" }, requestParameters: { userName: p }, responseElements: null, errorCode: p, errorMessage: p, eventType: "AwsApiCall" }),
  "sshd": (p) => `Nov 23 03:01:00 web1 sshd[2102]: Failed password for invalid user ${bare(p)} from 203.0.113.99 port 52736 ssh2`,
  "logfmt": (p) => `time=2026-11-23T03:10:11Z level=error msg=${JSON.stringify("unauthorized: " + p)} path="/v1/deleteUser" user=${JSON.stringify(p)} status=403 ip=203.0.113.9`,
  "free text": (p) => `ERROR: Unauthorized access attempt detected for API /v1/deleteUser${p} from IP 203.0.113.9 - Request Body: {"userId":"${p}"}`,
  "never seen": (p) => `${p} | ${p} ~ ../../../../etc/passwd ~ <?php system($_GET['c']); ?> ${p}`,
};

for (const [name, line] of Object.entries(FORMATS)) {
  test(`markup in ${name}`, async () => {
    const page = await open(browser, host.url, { viewport: { width: 640, height: 800 } });
    try {
      const log = PAYLOADS.map(line).join("\n") + "\n";
      await drop(page, [{ name: `${PAYLOADS[0]}.log`, text: log }]);
      await unfold(page);
      await page.locator(".evidence button.link").first().click();
      await page.waitForSelector("dialog pre");
      assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(await page.textContent("dialog pre")));
      await page.keyboard.press("Escape");
      const found = await page.evaluate(() => ({
        ran: globalThis.__ran,
        foreign: [...document.querySelectorAll("#result :is(img, script, iframe, style, base, meta, object, embed, form, link, a[href^='javascript:'])")].map((e) => e.outerHTML),
        headings: [...document.querySelectorAll("h1")].filter((e) => e.offsetParent).map((e) => e.textContent),
        handlers: [...document.querySelectorAll("#result *")].filter((e) => [...e.attributes].some((a) => a.name.startsWith("on"))).length,
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        raw: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(document.querySelector("#result").textContent + document.querySelector("#bar").textContent),
        tall: [...document.querySelectorAll("#result td code")].some((e) => e.scrollWidth > e.clientWidth + 1),
      }));
      assert.equal(found.ran, undefined, "a script ran");
      assert.deepEqual(found.foreign, []);
      assert.equal(found.handlers, 0);
      assert.equal(found.headings.length, 1);
      assert.ok(found.wide <= 0, `the page is ${found.wide} px too wide`);
      assert.equal(found.raw, false, "a character that acts on readers got through");
      assert.equal(found.tall, false, "a line is wider than its cell");
      assert.deepEqual(page.errors, []);
      assert.match(page.url(), /^http:\/\/127\.0\.0\.1:\d+\/$/);
    } finally {
      await page.context().close();
    }
  });
}

test("evidence shows markup as text and hidden characters as escapes", async () => {
  const page = await open(browser, host.url);
  await drop(page, [{ name: "x.log", text: `203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] "GET /../../../etc/passwd?<b>x</b>\u202e\x1b[31m HTTP/1.1" 200 512 "-" "curl/8"\n` }]);
  const shown = await text(page, ".evidence td code");
  assert.ok(shown.includes("<b>x</b>") && shown.includes("\\u202e") && shown.includes("\\x1b"), shown);
  assert.match(await text(page, ".evidence"), /would hide, move or reverse text/);
  await page.context().close();
});

test("a command to copy never holds what a terminal should not be given", async () => {
  const page = await open(browser, host.url);
  await drop(page, [{ name: "a'; rm -rf ~ #.log", text: "203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] \"GET /../../../etc/passwd HTTP/1.1\" 200 512 \"-\" \"curl/8\"\n" }]);
  assert.equal(await text(page, ".cli pre"), `vanguard scan 'a'\\''; rm -rf ~ #.log'`);
  await page.click("#again");
  await drop(page, [{ name: "a\u001b]0;x\u0007.log", text: "203.0.113.9 - - [23/Nov/2026:03:10:11 +0000] \"GET /../../../etc/passwd HTTP/1.1\" 200 512 \"-\" \"curl/8\"\n" }]);
  assert.equal(await page.locator(".cli").count(), 0);
  await page.context().close();
});
