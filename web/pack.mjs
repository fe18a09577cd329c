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
  if (!packed(name) && name !== ".gitignore" && name !== "hashes.json" && name !== engineName) {
    files.set(name, readFileSync(join(dist, name)));
  }
}
files.set(engineName, readFileSync(engine));

// Pages come last: what they load carries its hash in them.
const integrity = (name) => "sha384-" + digest("sha384", files.get(name), "base64");
for (const [name, bytes] of files) {
  if (!name.endsWith(".html")) continue;
  const page = bytes.toString("utf8").replace(/<(?:script|link)\b[^>]*>/g, (tag) => {
    const file = /\b(?:src|href)="(?:\.{0,2}\/)?([^"\/]+)"/.exec(tag)?.[1];
    if (!files.has(file) || file.endsWith(".html") || /rel="(?:icon|canonical)"/.test(tag)) return tag;
    // Browsers warn about integrity on what is preloaded for fetch; the page hands it to fetch itself.
    const attribute = tag.includes('as="fetch"') ? "data-integrity" : "integrity";
    return tag.replace(/\s+(data-)?integrity="[^"]*"/, "").replace(/\s*\/?>$/, ` ${attribute}="${integrity(file)}">`);
  });
  files.set(name, Buffer.from(page));
  writeFileSync(join(dist, name), page);
}

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

if (site) {
  mkdirSync(site, { recursive: true });
  for (const [name, bytes] of files) {
    writeFileSync(join(site, name), bytes);
    for (const suffix of [".gz", ".br"]) copyFileSync(join(dist, name + suffix), join(site, name + suffix));
  }
}
const size = (file) => readFileSync(join(dist, file)).length;
console.log(`${engineName}: ${files.get(engineName).length} bytes, gzip ${size(engineName + ".gz")}, brotli ${size(engineName + ".br")}`);
