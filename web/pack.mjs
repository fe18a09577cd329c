// Finishes web/dist after the bundler: writes hashes.json, puts integrity attributes on
// what the pages load, and a .gz and a .br beside each file. The engine lies there packed only.
//
//   node web/pack.mjs ENGINE.wasm          finish web/dist
//   node web/pack.mjs ENGINE.wasm SITE     also copy it to the folder SITE, for any web host
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
const [, , engine, site] = process.argv;
const engineName = "vanguard.wasm";

const digest = (algorithm, bytes, form) => createHash(algorithm).update(bytes).digest(form);
const packed = (name) => name.endsWith(".gz") || name.endsWith(".br");

const files = new Map();
for (const name of readdirSync(dist).sort()) {
  if (!packed(name) && name !== ".gitignore" && name !== "hashes.json" && name !== "trust.html" && name !== engineName) {
    files.set(name, readFileSync(join(dist, name)));
  }
}
files.set(engineName, readFileSync(engine));

// Pages carry the hash of what they load.
const integrity = (name) => "sha384-" + digest("sha384", files.get(name), "base64");
function page(name, text) {
  const done = text.replace(/<(?:script|link)\b[^>]*>/g, (tag) => {
    const file = /\b(?:src|href)="(?:\.{1,2}\/|\/)?([^"\/]+)"/.exec(tag)?.[1];
    if (!files.has(file) || file.endsWith(".html") || /rel="(?:icon|canonical)"/.test(tag)) return tag;
    // Browsers warn about integrity on what is preloaded for fetch; the page hands it to fetch itself.
    const attribute = tag.includes('as="fetch"') ? "data-integrity" : "integrity";
    return tag.replace(/\s+(data-)?integrity="[^"]*"/, "").replace(/\s*\/?>$/, ` ${attribute}="${integrity(file)}">`);
  });
  files.set(name, Buffer.from(done));
  writeFileSync(join(dist, name), done);
}
for (const [name, bytes] of [...files]) {
  if (name.endsWith(".html")) page(name, bytes.toString("utf8"));
}

// trust.html is docs/threat-model.md with the hashes of this build at its end.
const escape = (s) => s.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** markdown turns what our own documents use of Markdown into HTML: headings, paragraphs, lists, tables, code. */
function markdown(text) {
  const span = (s) => escape(s)
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, "$1");
  const items = (block, mark) => block.split(new RegExp(`^${mark} `, "m")).slice(1).map((i) => `<li>${span(i.trim().replace(/\s+/g, " "))}</li>`).join("");
  const row = (line, cell) => "<tr>" + line.replace(/^\||\|$/g, "").split("|").map((c) => `<${cell}>${span(c.trim())}</${cell}>`).join("") + "</tr>";
  return text.trim().split(/\n{2,}/).map((block) => {
    const heading = /^(#+) (.*)$/.exec(block);
    if (heading) return `<h${heading[1].length}>${span(heading[2])}</h${heading[1].length}>`;
    if (block.startsWith("    ")) return `<pre tabindex="0"><code>${escape(block.replace(/^ {4}/gm, ""))}</code></pre>`;
    if (block.startsWith("- ")) return `<ul>${items(block, "-")}</ul>`;
    if (/^\d+\. /.test(block)) return `<ol>${items(block, "\\d+\\.")}</ol>`;
    if (block.startsWith("|")) {
      const [head, , ...rows] = block.split("\n");
      return `<div class="scroll" tabindex="0" role="region" aria-label="Table"><table><thead>${row(head, "th")}</thead><tbody>${rows.map((r) => row(r, "td")).join("")}</tbody></table></div>`;
    }
    return `<p>${span(block.replace(/\s+/g, " "))}</p>`;
  }).join("\n");
}

const listed = [...files].map(([name, bytes]) => `<tr><td><code>${escape(name)}</code></td><td>${bytes.length}</td><td><code class="hash">${digest("sha256", bytes, "hex")}</code></td></tr>`);
page("trust.html", `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; img-src data:; form-action 'none'; base-uri 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Why you can check this page · Helix Vanguard</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="styles.css">
</head>
<body class="document">
<main>
<p><a href="./">Helix Vanguard</a></p>
${markdown(readFileSync(join(here, "../docs/threat-model.md"), "utf8"))}
<h2>This build</h2>
<p>SHA-256 of each file as it is before compression. <a href="hashes.json">hashes.json</a> has the same for programs, and this file as well.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Hashes"><table><thead><tr><th>file</th><th>bytes</th><th>SHA-256</th></tr></thead><tbody>
${listed.join("\n")}
</tbody></table></div>
</main>
</body>
</html>
`);

const hashes = { algorithm: "sha256", files: {} };
for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
  hashes.files[name] = { sha256: digest("sha256", bytes, "hex"), bytes: bytes.length };
}
files.set("hashes.json", Buffer.from(JSON.stringify(hashes, null, 2) + "\n"));
writeFileSync(join(dist, "hashes.json"), files.get("hashes.json"));

// Packing the engine takes half a minute: it is kept while the engine stays the same.
function kept(name, bytes) {
  const file = join(dist, name + ".br");
  if (!existsSync(file) || !existsSync(join(dist, name + ".gz"))) return false;
  try {
    return brotliDecompressSync(readFileSync(file)).equals(bytes);
  } catch {
    return false;
  }
}
for (const name of readdirSync(dist)) {
  if (packed(name) && !files.has(name.slice(0, -3))) rmSync(join(dist, name));
}
rmSync(join(dist, engineName), { force: true });
for (const [name, bytes] of files) {
  if (kept(name, bytes)) continue;
  writeFileSync(join(dist, name + ".gz"), gzipSync(bytes, { level: 9 }));
  writeFileSync(join(dist, name + ".br"), brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  }));
}

// For static hosts that read a file of headers: what the server sends, server/page.go; a test there compares.
const none = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
const withEngine = none + "; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self'; img-src 'self' data:; connect-src 'self'; require-trusted-types-for 'script'; trusted-types vanguard";
const policies = {
  "/": withEngine,
  "/index.html": withEngine,
  "/trust.html": none + "; style-src 'self'; img-src 'self' data:",
  "/worker.js": none + "; script-src 'wasm-unsafe-eval'; connect-src 'none'",
};
const headers = `/*
  X-Content-Type-Options: nosniff
  X-Frame-Options: DENY
  Referrer-Policy: no-referrer
  Cross-Origin-Opener-Policy: same-origin
  Cross-Origin-Resource-Policy: same-origin
  Cross-Origin-Embedder-Policy: require-corp
  Cache-Control: no-cache
` + Object.entries(policies).map(([path, policy]) => `${path}\n  Content-Security-Policy: ${policy}\n`).join("");

if (site) {
  rmSync(site, { recursive: true, force: true });
  mkdirSync(site, { recursive: true });
  writeFileSync(join(site, "_headers"), headers);
  for (const [name, bytes] of files) {
    writeFileSync(join(site, name), bytes);
    for (const suffix of [".gz", ".br"]) copyFileSync(join(dist, name + suffix), join(site, name + suffix));
  }
}
const maxEngine = 6_500_000; // bytes, packed by brotli, the classifier included: what a visitor waits for
const size = (file) => readFileSync(join(dist, file)).length;
console.log(`${engineName}: ${files.get(engineName).length} bytes, gzip ${size(engineName + ".gz")}, brotli ${size(engineName + ".br")}`);
if (size(engineName + ".br") > maxEngine) throw new Error(`the engine is larger than ${maxEngine} bytes packed`);
