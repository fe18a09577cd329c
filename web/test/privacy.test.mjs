// Nothing leaves the page: what it does not send, and what it could not send if it wanted to.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { again, drop, example, exported, launch, log, open, paste, serve } from "./harness.mjs";

let host, browser, canary, hits = [];
before(async () => {
  [host, browser] = await Promise.all([serve(), launch()]);
  // Another server, that answers everybody: whatever arrives here got out.
  canary = createServer((q, r) => { hits.push(q.url); r.setHeader("Access-Control-Allow-Origin", "*"); r.end("got it"); });
  canary.on("upgrade", (q, socket) => { hits.push(q.url); socket.destroy(); });
  await new Promise((r) => canary.listen(0, "127.0.0.1", r));
  canary.url = `http://127.0.0.1:${canary.address().port}`;
});
after(async () => { await browser?.close(); await host?.stop(); canary?.closeAllConnections(); canary?.close(); });

test("no request between load and share, nothing stored", async () => {
  const page = await open(browser, host.url);
  const requests = [];
  page.context().on("request", (r) => { if (/^(https?|wss?):/.test(r.url())) requests.push(r.url()); });
  page.on("websocket", (w) => requests.push(w.url()));
  await paste(page, log("founding.log"));
  await example(page, "wordpress");
  await page.click('.rail button.entity[data-entity="203.0.113.45"]');
  await page.click(".finding:first-child .evidence .actions button");
  await again(page);
  await page.click("text=This is benign…");
  await page.check("dialog input >> nth=0");
  await page.waitForSelector("dialog .change");
  await page.keyboard.press("Escape");
  await exported(page, "html");
  await page.click("#again");
  await drop(page, [{ name: "nginx-sqli.log", text: log("nginx-sqli.log") }]);
  await page.waitForTimeout(300);
  assert.deepEqual(requests, []);
  const stored = await page.evaluate(async () => ({ local: localStorage.length, session: sessionStorage.length, cookie: document.cookie, databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length, workers: (await navigator.serviceWorker.getRegistrations()).length }));
  assert.deepEqual(stored, { local: 0, session: 0, cookie: "", databases: 0, caches: 0, workers: 0 });
  await page.context().close();
});

// Each tries to reach url in its own way and says what came of it; "refused" must be the browser's doing.
const ATTEMPTS = {
  fetch: (url) => fetch(url, { method: "POST", body: "log" }).then(() => "sent", () => "refused"),
  XMLHttpRequest: (url) => new Promise((r) => { const x = new XMLHttpRequest(); x.onload = () => r("sent"); x.onerror = () => r("refused"); x.open("GET", url); try { x.send(); } catch { r("refused"); } }),
  WebSocket: (url) => new Promise((r) => { try { const w = new WebSocket(url.replace("http", "ws")); w.onopen = () => r("sent"); w.onerror = () => r("refused"); } catch { r("refused"); } }),
  EventSource: (url) => new Promise((r) => { const s = new EventSource(url); s.onopen = () => r("sent"); s.onerror = () => { s.close(); r("refused"); }; }),
  beacon: (url) => { navigator.sendBeacon(url, "log"); return new Promise((r) => setTimeout(() => r("refused"), 200)); }, // says true even where it is blocked; the canary knows
  image: (url) => new Promise((r) => { const i = new Image(); i.onload = () => r("sent"); i.onerror = () => r("refused"); i.src = url + "/i.png"; }),
  "background image": (url) => { document.body.style.backgroundImage = `url("${url}/b.png")`; return new Promise((r) => setTimeout(() => r("refused"), 200)); },
  form: (url) => { const f = document.createElement("form"); f.action = url; f.method = "post"; f.target = "_blank"; document.body.append(f); f.submit(); return new Promise((r) => setTimeout(() => { f.remove(); r("refused"); }, 300)); },
  frame: (url) => { const f = document.createElement("iframe"); f.src = url; document.body.append(f); return new Promise((r) => setTimeout(() => { f.remove(); r("refused"); }, 300)); },
  stylesheet: (url) => { const l = document.createElement("link"); l.rel = "stylesheet"; l.href = url + "/s.css"; return new Promise((r) => { l.onload = () => r("sent"); l.onerror = () => r("refused"); document.head.append(l); }); },
  prefetch: (url) => { const l = document.createElement("link"); l.rel = "prefetch"; l.href = url + "/p"; document.head.append(l); return new Promise((r) => setTimeout(() => r("refused"), 300)); },
  font: (url) => new FontFace("x", `url("${url}/f.woff2")`).load().then(() => "sent", () => "refused"),
  audio: (url) => new Promise((r) => { const a = new Audio(url + "/a.mp3"); a.onerror = () => r("refused"); a.onloadeddata = () => r("sent"); a.load(); }),
  worker: (url) => new Promise((r) => { try { const w = new Worker(URL.createObjectURL(new Blob([`fetch("${url}/w").then(() => postMessage("sent"), () => postMessage("refused"))`]))); w.onmessage = (e) => r(e.data); w.onerror = () => r("refused"); } catch { r("refused"); } }),
  script: (url) => { try { const s = document.createElement("script"); s.src = url + "/s.js"; document.head.append(s); } catch { return "refused"; } return new Promise((r) => setTimeout(() => r("refused"), 200)); },
};

test("the attempts below get through where nothing forbids them", async () => {
  const page = await browser.newPage();
  await page.goto(canary.url);
  hits = [];
  for (const attempt of Object.values(ATTEMPTS)) await page.evaluate(`(${attempt})(${JSON.stringify(canary.url)})`);
  await page.waitForTimeout(300);
  for (const path of ["/", "/i.png", "/b.png", "/s.css", "/f.woff2", "/a.mp3", "/w", "/s.js"]) assert.ok(hits.includes(path), `${path} was not asked for: ${hits}`);
  assert.ok(hits.filter((p) => p === "/").length >= 7, `${hits}`); // fetch, XMLHttpRequest, WebSocket, EventSource, beacon, form, frame
  await page.close();
});

test("once the engine is here, every way out is refused", async (t) => {
  for (const where of ["the page's own server", "another server"]) {
    const page = await open(browser, host.url);
    const answered = [];
    page.context().on("response", (r) => { if (/^https?:/.test(r.url())) answered.push(r.url()); });
    hits = [];
    const target = where === "another server" ? canary.url : host.url + "/healthz";
    for (const [name, attempt] of Object.entries(ATTEMPTS)) {
      await t.test(`${name} to ${where}`, async () => { assert.equal(await page.evaluate(`(${attempt})(${JSON.stringify(target)})`), "refused"); });
    }
    await page.waitForTimeout(300);
    assert.deepEqual(hits, []);
    assert.deepEqual(answered, []);
    await page.context().close();
  }
});

test("nor can the engine's worker connect", async (t) => {
  const page = await open(browser, host.url);
  const [worker] = page.workers();
  assert.ok(worker, "the engine runs in a worker");
  hits = [];
  const ways = {
    fetch: ATTEMPTS.fetch, XMLHttpRequest: ATTEMPTS.XMLHttpRequest, WebSocket: ATTEMPTS.WebSocket, EventSource: ATTEMPTS.EventSource, worker: ATTEMPTS.worker,
    importScripts: (url) => { try { importScripts(url + "/s.js"); return "sent"; } catch { return "refused"; } },
  };
  for (const target of [canary.url, host.url + "/healthz"]) {
    for (const [name, attempt] of Object.entries(ways)) await t.test(`${name} to ${target === canary.url ? "another server" : "the page's own server"}`, async () => { assert.equal(await worker.evaluate(`(${attempt})(${JSON.stringify(target)})`), "refused"); });
  }
  assert.deepEqual(hits, []);
  await page.context().close();
});

test("before the engine is here, no log is accepted", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  let release;
  const held = new Promise((r) => { release = r; });
  await page.route("**/vanguard.wasm", async (route) => { await held; await route.continue(); });
  await page.goto(host.url, { waitUntil: "domcontentloaded" });
  assert.ok(await page.isDisabled("#lines"));
  assert.ok(await page.isDisabled("#judge"));
  assert.ok(await page.isDisabled('[data-example="founding"]'));
  release();
  await page.waitForSelector("html[data-ready]", { timeout: 60_000 });
  assert.ok(await page.isEnabled("#lines"));
  await context.close();
});

test("strings cannot become markup or code", async () => {
  const page = await open(browser, host.url);
  const tried = await page.evaluate(() => {
    const out = {};
    const attempt = (name, f) => { try { f(); out[name] = "done"; } catch { out[name] = "refused"; } };
    attempt("innerHTML", () => { document.createElement("div").innerHTML = "<b>x</b>"; });
    attempt("insertAdjacentHTML", () => document.body.insertAdjacentHTML("beforeend", "<b>x</b>"));
    attempt("document.write", () => document.write("<b>x</b>"));
    attempt("srcdoc", () => { document.createElement("iframe").srcdoc = "<b>x</b>"; });
    attempt("a policy of one's own", () => trustedTypes.createPolicy("mine", { createHTML: (s) => s }));
    attempt("the page's policy again", () => trustedTypes.createPolicy("vanguard", { createScriptURL: (s) => s }));
    return out;
  });
  assert.deepEqual(tried, Object.fromEntries(Object.keys(tried).map((k) => [k, "refused"])));
  await page.context().close();
});

test("a file that was changed on the way is not used", async () => {
  for (const name of ["worker.js", "app.js"]) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route(`**/${name}`, async (route) => { const r = await route.fetch(); await route.fulfill({ response: r, body: (await r.text()) + "\n// changed" }); });
    await page.goto(host.url);
    await page.waitForTimeout(800);
    assert.equal(await page.locator("html[data-ready]").count(), 0, name);
    await context.close();
  }
});
