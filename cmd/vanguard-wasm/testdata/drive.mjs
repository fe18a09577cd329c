// Drives the engine under Node as the page's worker does: reads commands as JSON lines, answers each with one.
//   node drive.mjs WASM_EXEC.js ENGINE.wasm
// {"settings": "...", "logs": [{"name": "...", "file": "..."}], "piece": bytes, "formats": [...]} -> {"reports": {...}, "partial": "...", "ms": ...} or {"error": "..."}
// {"explain": "line", "format": "json"} -> {"text": "..."}
import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , wasmExec, wasm] = process.argv;
globalThis.crypto ??= (await import("node:crypto")).webcrypto; // Node 18 has it there only
await import(pathToFileURL(wasmExec));
const { load } = await import("../engine.js");
const began = performance.now();
const vanguard = await load(readFileSync(wasm));
while (vanguard.warm());
const answer = (o) => process.stdout.write(JSON.stringify(o) + "\n");
answer({ version: vanguard.version, rules: vanguard.rules, ms: performance.now() - began, global: globalThis.vanguard === vanguard });

function judge(ask) {
  const run = vanguard.start(ask.settings ?? "");
  let partial = "";
  const from = performance.now();
  const open = run.logs(ask.logs.map(({ name }) => ({ name })));
  let left = ask.logs.map(({ file }, i) => ({ bytes: readFileSync(file), at: 0, log: open[i] }));
  while (left.length > 0) {
    const next = left.find(({ log }) => log.hungry());
    if (!next) throw new Error("no log is hungry");
    const piece = next.bytes.subarray(next.at, next.at + (ask.piece || next.bytes.length));
    if (piece.length > 0) next.log.write(piece);
    if (partial === "") partial = run.partial();
    next.at += piece.length;
    if (next.at < next.bytes.length) continue;
    next.log.close();
    left = left.filter((l) => l !== next);
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
