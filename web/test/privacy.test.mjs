// Nothing leaves the page: what it does not send, and what it could not send if it wanted to.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { again, drop, example, exported, launch, log, open, paste, ready, serve } from "./harness.mjs";

let host, browser, canary, mirror, hits = [];
before(async () => {
  [host, browser] = await Promise.all([serve(), launch()]);
  // Another server, that answers everybody: whatever arrives here got out.
  canary = createServer((q, r) => { hits.push(q.url); r.setHeader("Access-Control-Allow-Origin", "*"); r.end("got it"); });
  canary.on("upgrade", (q, socket) => { hits.push(q.url); socket.destroy(); });
  await new Promise((r) => canary.listen(0, "127.0.0.1", r));
  canary.url = `http://127.0.0.1:${canary.address().port}`;
  // The page's own server, with somebody in between who writes down what it is asked for.
  mirror = createServer((q, r) => { hits.push(q.url); q.pipe(request(host.url + q.url, { method: q.method, headers: { ...q.headers, host: new URL(host.url).host } }, (a) => { r.writeHead(a.statusCode, a.headers); a.pipe(r); })); });
  await new Promise((r) => mirror.listen(0, "127.0.0.1", r));
  mirror.url = `http://127.0.0.1:${mirror.address().port}`;
});
after(async () => { await browser?.close(); await host?.stop(); for (const s of [canary, mirror]) { s?.closeAllConnections(); s?.close(); } });

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

// Each tries to reach url in its own way and says what came of it; what servers saw is what counts.
const ATTEMPTS = {
  fetch: (url) => fetch(url + "/fetch", { method: "POST", body: "log" }).then(() => "sent", () => "refused"),
  "fetch that outlives the page": (url) => fetch(url + "/keepalive", { method: "POST", body: "log", keepalive: true, mode: "no-cors" }).then(() => "sent", () => "refused"),
  "fetch later": (url) => { if (globalThis.fetchLater) try { fetchLater(url + "/later", { method: "POST", body: "log", activateAfter: 0 }); } catch { return "refused"; } },
  "a stream of WebSocket": (url) => globalThis.WebSocketStream ? new WebSocketStream(url.replace("http", "ws") + "/stream").opened.then(() => "sent", () => "refused") : "refused",
  "federated login": (url) => Promise.resolve().then(() => navigator.credentials.get({ identity: { providers: [{ configURL: url + "/identity.json", clientId: "log" }] } })).then(() => "sent", () => "refused"),
  "the text beside a film": (url) => { const v = document.createElement("video"), t = document.createElement("track"); t.src = url + "/track.vtt"; t.default = true; v.append(t); v.src = url + "/film.mp4"; document.body.append(v); t.track.mode = "showing"; },
  "an audio worklet": (url) => new AudioContext().audioWorklet.addModule(url + "/audio.js").then(() => "sent", () => "refused"),
  XMLHttpRequest: (url) => new Promise((r) => { const x = new XMLHttpRequest(); x.onload = () => r("sent"); x.onerror = () => r("refused"); x.open("GET", url + "/xhr"); try { x.send(); } catch { r("refused"); } }),
  WebSocket: (url) => new Promise((r) => { try { const w = new WebSocket(url.replace("http", "ws") + "/websocket"); w.onopen = () => r("sent"); w.onerror = () => r("refused"); } catch { r("refused"); } }),
  WebTransport: (url) => Promise.resolve().then(() => new WebTransport(url.replace("http:", "https:") + "/transport").ready).then(() => "sent", (e) => /Refused to connect/.test(e.message) ? "refused" : `another error: ${e.message}`),
  EventSource: (url) => new Promise((r) => { const s = new EventSource(url + "/events"); s.onopen = () => r("sent"); s.onerror = () => { s.close(); r("refused"); }; }),
  beacon: (url) => { navigator.sendBeacon(url + "/beacon", "log"); }, // says true even where it is blocked
  image: (url) => new Promise((r) => { const i = new Image(); i.onload = () => r("sent"); i.onerror = () => r("refused"); i.src = url + "/i.png"; }),
  "image set": (url) => { const i = new Image(); i.srcset = url + "/srcset 1x"; document.body.append(i); },
  "image button": (url) => { const i = document.createElement("input"); i.type = "image"; i.src = url + "/button"; document.body.append(i); },
  "images in SVG": (url) => { const n = "http://www.w3.org/2000/svg", s = document.createElementNS(n, "svg"); for (const t of ["image", "use", "feImage"]) { const e = document.createElementNS(n, t); e.setAttribute("href", `${url}/svg-${t}#x`); s.append(e); } document.body.append(s); },
  "background image": (url) => { document.body.style.backgroundImage = `url("${url}/b.png")`; },
  "a style sheet of its own": (url) => { const s = new CSSStyleSheet(); s.replaceSync(`@font-face { font-family: zz; src: url("${url}/css-font") } body { font-family: zz; list-style-image: url("${url}/css-list"); border-image: url("${url}/css-border") 1; mask-image: url("${url}/css-mask") } body::before { content: url("${url}/css-content") }`); document.adoptedStyleSheets = [s]; },
  "an imported style sheet": (url) => { const s = document.createElement("style"); s.textContent = `@import "${url}/import.css";`; document.head.append(s); },
  stylesheet: (url) => { const l = document.createElement("link"); l.rel = "stylesheet"; l.href = url + "/s.css"; return new Promise((r) => { l.onload = () => r("sent"); l.onerror = () => r("refused"); document.head.append(l); }); },
  hints: (url) => { for (const rel of ["prefetch", "preload", "modulepreload", "manifest", "icon", "prerender"]) { const l = document.createElement("link"); l.rel = rel; l.href = `${url}/hint-${rel}`; if (rel === "preload") l.as = "image"; document.head.append(l); } },
  font: (url) => new FontFace("x", `url("${url}/f.woff2")`).load().then(() => "sent", () => "refused"),
  audio: (url) => new Promise((r) => { const a = new Audio(url + "/a.mp3"); a.onerror = () => r("refused"); a.onloadeddata = () => r("sent"); a.load(); }),
  "video poster": (url) => { const v = document.createElement("video"); v.poster = url + "/poster"; document.body.append(v); },
  form: (url) => { const f = document.createElement("form"); f.action = url + "/form"; f.method = "post"; f.target = "_blank"; document.body.append(f); f.submit(); },
  "a button's own action": (url) => { const f = document.createElement("form"), b = document.createElement("button"); b.formAction = url + "/formaction"; b.formTarget = "_blank"; f.append(b); document.body.append(f); b.click(); },
  "a link's ping": (url) => { const a = document.createElement("a"); a.href = "#main"; a.ping = url + "/ping"; document.body.append(a); a.click(); },
  frame: (url) => { const f = document.createElement("iframe"); f.src = url + "/frame"; document.body.append(f); },
  "fetch in a frame": (url) => { const f = document.createElement("iframe"); document.body.append(f); return f.contentWindow.fetch(url + "/frame-fetch").then(() => "sent", () => "refused"); },
  "an image in a frame": (url) => { const f = document.createElement("iframe"); document.body.append(f); new f.contentWindow.Image().src = url + "/frame-image"; },
  object: (url) => { try { const o = document.createElement("object"); o.data = url + "/object"; document.body.append(o); } catch { return "refused"; } },
  embed: (url) => { try { const o = document.createElement("embed"); o.src = url + "/embed"; document.body.append(o); } catch { return "refused"; } },
  worker: (url) => new Promise((r) => { try { const w = new Worker(URL.createObjectURL(new Blob([`fetch("${url}/w").then(() => postMessage("sent"), () => postMessage("refused"))`]))); w.onmessage = (e) => r(e.data); w.onerror = () => r("refused"); } catch { r("refused"); } }),
  "shared worker": (url) => { try { new SharedWorker(url + "/shared.js"); } catch { return "refused"; } },
  "service worker": (url) => Promise.resolve().then(() => navigator.serviceWorker.register(url + "/service.js")).then(() => "sent", () => "refused"),
  worklet: (url) => CSS.paintWorklet.addModule(url + "/worklet.js").then(() => "sent", () => "refused"),
  "import()": (url) => import(url + "/import.js").then(() => "sent", () => "refused"),
  script: (url) => { try { const s = document.createElement("script"); s.src = url + "/s.js"; document.head.append(s); } catch { return "refused"; } },
  XSLT: (url) => { try { const S = "http://www.w3.org/1999/XSL/Transform", x = document.implementation.createDocument(S, "xsl:stylesheet"), i = x.createElementNS(S, "xsl:import"); x.documentElement.setAttribute("version", "1.0"); i.setAttribute("href", url + "/xslt"); x.documentElement.append(i); new XSLTProcessor().importStylesheet(x); } catch { return "refused"; } },
  cache: (url) => caches.open("x").then((c) => c.add(url + "/cache")).then(() => "sent", () => "refused"),
};
// These lead the page itself elsewhere, address and all. No policy forbids that; the page listens for it and says no.
const DEPARTURES = {
  location: (url) => { location.href = url + "/location?log"; },
  "the page's own address": (url) => { location.assign(url + "/?log"); },
  "a link": (url) => { const a = document.createElement("a"); a.href = url + "/link?log"; document.body.append(a); a.click(); },
  "a download": (url) => { const a = document.createElement("a"); a.href = url + "/download?log"; a.download = "x"; document.body.append(a); a.click(); },
  "meta refresh": (url) => { const m = document.createElement("meta"); m.httpEquiv = "refresh"; m.content = `0;url=${url}/refresh?log`; document.head.append(m); },
  "a frame's parent": (url) => { const f = document.createElement("iframe"); document.body.append(f); f.contentWindow.parent.location = url + "/parent?log"; },
  "a link out of a frame": (url) => { const f = document.createElement("iframe"); document.body.append(f); const a = f.contentDocument.createElement("a"); a.href = url + "/top?log"; a.target = "_top"; f.contentDocument.body.append(a); a.click(); },
};
const WORKER_WAYS = {
  fetch: ATTEMPTS.fetch, XMLHttpRequest: ATTEMPTS.XMLHttpRequest, WebSocket: ATTEMPTS.WebSocket, WebTransport: ATTEMPTS.WebTransport, EventSource: ATTEMPTS.EventSource, font: ATTEMPTS.font, cache: ATTEMPTS.cache, worker: ATTEMPTS.worker,
  "import()": ATTEMPTS["import()"],
  importScripts: (url) => { try { importScripts(url + "/scripts.js"); return "sent"; } catch { return "refused"; } },
  "a worker by its address": (url) => { try { new Worker(url + "/nested.js"); } catch { return "refused"; } },
};

/** attempt runs one of them and gives the browser time for what it does by itself. */
async function attempt(where, way, url) {
  const said = await where.evaluate(`(async () => { const said = await (${way})(${JSON.stringify(url)}); if (said === undefined) await new Promise((r) => setTimeout(r, 150)); return said ?? "refused"; })()`);
  return said;
}

test("the attempts below get through where nothing forbids them", async () => {
  const page = await browser.newPage();
  await page.goto(canary.url);
  hits = [];
  for (const way of Object.values(ATTEMPTS)) await attempt(page, way, canary.url);
  await page.waitForTimeout(500);
  for (const path of ["/fetch", "/keepalive", "/later", "/stream", "/film.mp4", "/audio.js", "/xhr", "/websocket", "/events", "/beacon", "/i.png", "/srcset", "/button", "/svg-image", "/b.png", "/css-font", "/css-list", "/css-border", "/css-mask", "/css-content", "/import.css", "/s.css",
    "/hint-prefetch", "/hint-preload", "/hint-modulepreload", "/f.woff2", "/a.mp3", "/poster", "/form", "/formaction", "/ping", "/frame", "/frame-fetch", "/frame-image", "/object", "/embed", "/w", "/shared.js", "/service.js", "/worklet.js", "/import.js", "/s.js", "/cache"]) {
    assert.ok(hits.some((h) => h === path || h === path + "?"), `${path} was not asked for: ${hits}`);
  }
  await page.close();
  for (const way of Object.values(DEPARTURES)) {
    const leaving = await browser.newPage();
    await leaving.goto(canary.url + "/start");
    hits = [];
    await leaving.evaluate(`setTimeout(() => (${way})(${JSON.stringify(canary.url)}))`);
    for (let i = 0; i < 40 && !hits.some((h) => h.endsWith("?log")); i++) await new Promise((r) => setTimeout(r, 50));
    assert.ok(hits.some((h) => h.endsWith("?log")), `${way}: ${hits}`);
    await leaving.close();
  }
});

for (const where of ["the page's own server", "another server"]) {
  test(`once the engine is here, every way out to ${where} is refused`, async (t) => {
    const page = await open(browser, mirror.url);
    const target = where === "another server" ? canary.url : mirror.url;
    for (const [name, way] of [...Object.entries(ATTEMPTS), ...Object.entries(DEPARTURES)]) {
      await t.test(name, async () => {
        hits = [];
        assert.equal(await attempt(page, way, target), "refused");
        await page.waitForTimeout(50);
        assert.deepEqual(hits, []);
        assert.equal(page.url(), mirror.url + (name === "a link's ping" || page.url().endsWith("#main") ? "/#main" : "/"));
      });
    }
    hits = [];
    await page.waitForTimeout(500);
    assert.deepEqual(hits, []);
    // Nor does a reload, which a reader may want, take another address along.
    await page.evaluate(() => { try { history.pushState(null, "", "/?log"); } catch { /* refused */ } setTimeout(() => location.reload()); });
    await page.waitForTimeout(500);
    await ready(page);
    assert.ok(hits.includes("/") && !hits.some((h) => h.includes("log")), `${hits}`);
    await page.context().close();
  });

  test(`nor can the engine's worker reach ${where}`, async (t) => {
    const page = await open(browser, mirror.url);
    const [worker] = page.workers();
    assert.ok(worker, "the engine runs in a worker");
    hits = [];
    for (const [name, way] of Object.entries(WORKER_WAYS)) await t.test(name, async () => { assert.equal(await attempt(worker, way, where === "another server" ? canary.url : mirror.url), "refused"); });
    await page.waitForTimeout(300);
    assert.deepEqual(hits, []);
    await page.context().close();
  });
}

test("what stays open is what docs/threat-model.md names: a new window, and WebRTC", async () => {
  const page = await open(browser, mirror.url);
  hits = [];
  await page.evaluate((url) => { window.open(url + "/window?log"); }, canary.url);
  for (let i = 0; i < 40 && !hits.length; i++) await page.waitForTimeout(50);
  assert.ok(hits.includes("/window?log"));
  const udp = createSocket("udp4");
  await new Promise((r) => udp.bind(0, "127.0.0.1", r));
  const heard = new Promise((r) => udp.once("message", () => r("heard")));
  await page.evaluate(async (port) => { const p = new RTCPeerConnection({ iceServers: [{ urls: `stun:127.0.0.1:${port}` }] }); p.createDataChannel("x"); await p.setLocalDescription(await p.createOffer()); }, udp.address().port);
  assert.equal(await Promise.race([heard, new Promise((r) => setTimeout(r, 10_000, "nothing"))]), "heard");
  udp.close();
  const told = readFileSync(new URL("../../docs/threat-model.md", import.meta.url), "utf8");
  assert.match(told, /new window/);
  assert.match(told, /WebRTC/);
  await page.context().close();
});

test("a reader's own way on is free: the page's links, a reload", async () => {
  const page = await open(browser, mirror.url);
  await page.click("summary:has-text('How can I check')");
  await page.click("text=their hashes");
  await page.waitForURL("**/trust.html");
  await page.goBack();
  await ready(page);
  await page.reload();
  await ready(page);
  await page.focus(".skip");
  await page.keyboard.press("Enter");
  assert.equal(page.url(), mirror.url + "/#main");
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
