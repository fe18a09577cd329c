// Drives the engine under Node as the page's worker does: reads commands as JSON lines, answers each with one.
//   node drive.mjs WASM_EXEC.js ENGINE.wasm
// {"settings": "...", "logs": [{"name": "...", "file": "..."}], "piece": bytes, "formats": [...]} -> {"reports": {...}, "partial": "...", "ms": ...} or {"error": "..."}
// {"explain": "line", "format": "json"} -> {"text": "..."}
import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , wasmExec, wasm] = process.argv;
await import(pathToFileURL(wasmExec));
const { load } = await import("../engine.js");
const began = performance.now();
const vanguard = await load(readFileSync(wasm));
vanguard.warm();
const answer = (o) => process.stdout.write(JSON.stringify(o) + "\n");
answer({ version: vanguard.version, rules: vanguard.rules, ms: performance.now() - began, global: globalThis.vanguard === vanguard });

function judge(ask) {
  const run = vanguard.start(ask.settings ?? "");
  let partial = "";
  const from = performance.now();
  for (const { name, file } of ask.logs) {
    const bytes = readFileSync(file);
    const log = run.source(name);
    const piece = ask.piece ?? (bytes.length || 1);
    for (let at = 0; at < bytes.length; at += piece) {
      log.write(bytes.subarray(at, at + piece));
      if (at === 0) partial = run.partial();
    }
    log.close();
  }
  const reports = {};
  for (const format of ask.formats) reports[format] = run.report(format);
  const ms = performance.now() - from;
  run.cancel();
  let after = "";
  try {
    run.report("json");
  } catch (e) {
    after = e.message;
  }
  return { reports, partial, after, ms };
}

for await (const line of createInterface({ input: createReadStream(null, { fd: 0 }) })) {
  const ask = JSON.parse(line);
  try {
    answer(ask.explain !== undefined ? { text: vanguard.explain(ask.explain, ask.format) } : judge(ask));
  } catch (e) {
    answer({ error: e.message, thrown: e instanceof Error });
  }
}
process.stdout.write("", () => process.exit(0));
