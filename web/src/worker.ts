// The engine's room. It is made from a blob, so it lives under the policy of the page that made it, connect-src 'none'
// included: nothing in here can reach the network, on any web host. Logs come in as Blobs and go out as reports.
//
//	page -> worker   Ask                    worker -> page   Told

import "../gen/wasm_exec.js";
import { load, type Analysis, type Format, type Vanguard } from "../../cmd/vanguard-wasm/engine.js";
import type { Settings } from "./report";

export interface LogInput { name: string; blob: Blob }

export type Ask =
  | { id: number; op: "load"; module: WebAssembly.Module }
  | { id: number; op: "judge"; inputs: LogInput[]; settings: Settings; keep: boolean }
  | { id: number; op: "cancel"; job: number }
  | { id: number; op: "export"; format: Format; redact: boolean }
  | { id: number; op: "explain"; line: string };

export interface Judged {
  json: string; // the report, secrets hidden
  ms: number;
  bytes: number;
  stopped: boolean;
  problems: string[]; // what the page could not read
}

export interface Progress { done: number; total: number; ms: number; json?: string }

export type Told =
  | { id: number; value: unknown }
  | { id: number; error: string }
  | { id: number; progress: Progress };

const CHUNK = 256 << 10; // bytes judged between two looks at what the page wants
const FIRST_LOOK = 250; // ms after which the first report so far is made
const WARM_AFTER = 50; // ms that the engine, once it stands, leaves for a log to arrive before it warms up
const WARM_EVERY = 5; // ms between two steps of that, for a log to come between
const LOOK_SHARE = 8; // a report so far may cost one part in so many of the time
const BREATH = 40; // ms of work after which the page is listened to, so that "stop" stops

let loaded: Promise<Vanguard> | undefined; // what is asked meanwhile waits for it
let kept: Analysis | undefined; // of the judgement that is shown, for exports
const cancelled = new Set<number>();

const tell = (m: Told) => postMessage(m);

function engine(): Promise<Vanguard> {
  if (!loaded) throw new Error("the engine was not loaded");
  return loaded;
}

/** breath lets the messages come in that wait: reading a file whose bytes are there already never leaves room for them by itself. */
const channel = new MessageChannel();
const breath = () => new Promise<void>((resolve) => { channel.port1.onmessage = () => resolve(); channel.port2.postMessage(0); });

/** pieces reads a log in chunks. The engine unpacks what is packed. */
async function* pieces(input: LogInput): AsyncGenerator<Uint8Array, void> {
  if (input.blob.size <= CHUNK) {
    yield new Uint8Array(await input.blob.arrayBuffer()); // a stream takes longer to begin
    return;
  }
  const reader = input.blob.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (let at = 0; at < value.byteLength; at += CHUNK) yield value.subarray(at, at + CHUNK);
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function judge(ask: Extract<Ask, { op: "judge" }>): Promise<Judged> {
  const began = performance.now();
  const total = ask.inputs.reduce((n, i) => n + i.blob.size, 0);
  const problems: string[] = [];
  const vanguard = await engine();
  const run = vanguard.start(JSON.stringify(ask.settings));
  if (ask.keep) {
    kept?.cancel();
    kept = run;
  }
  let done = 0, stopped = false;
  let nextLook = began + FIRST_LOOK, nextTold = began, nextBreath = began + BREATH;
  // As on the command line, dates without a year are of the year in which their file was last changed.
  const logs = run.logs(ask.inputs.map(({ name, blob }) => ({ name, year: blob instanceof File ? new Date(blob.lastModified).getFullYear() : 0 })));
  let open = ask.inputs.map((input, i) => ({ name: input.name, log: logs[i]!, pieces: pieces(input) }));
  while (open.length > 0) {
    const next = open.find(({ log }) => log.hungry()) ?? open[0]!;
    let piece: Uint8Array | undefined;
    try {
      piece = (await next.pieces.next()).value ?? undefined;
    } catch (e) {
      problems.push(`${next.name}: ${e instanceof Error ? e.message : String(e)}`); // such as a file that changed while it was read
    }
    if (piece) {
      next.log.write(piece);
      done += piece.byteLength;
    } else {
      next.log.close();
      open = open.filter((o) => o !== next);
    }
    if (performance.now() >= nextBreath) {
      await breath();
      nextBreath = performance.now() + BREATH;
    }
    if (cancelled.delete(ask.id)) {
      stopped = true;
      for (const o of open) {
        o.log.close();
        void o.pieces.return(undefined);
      }
      break;
    }
    const now = performance.now();
    if (now >= nextLook && ask.keep) {
      const json = run.partial();
      nextLook = performance.now() + Math.max(FIRST_LOOK, (performance.now() - now) * LOOK_SHARE);
      tell({ id: ask.id, progress: { done, total, ms: now - began, json } });
    } else if (now >= nextTold) {
      nextTold = now + 100;
      tell({ id: ask.id, progress: { done, total, ms: now - began } });
    }
  }
  const json = run.report("json", true);
  if (!ask.keep) run.cancel();
  return { json, ms: performance.now() - began, bytes: done, stopped, problems };
}

/** warm makes the first paste as fast as the later ones, unless it is here already. */
function warm(vanguard: Vanguard): void {
  if (kept) return;
  if (vanguard.warm()) setTimeout(warm, WARM_EVERY, vanguard);
  else tell({ id: 0, value: "warm" });
}

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.op) {
    case "load": {
      loaded = load(ask.module);
      const vanguard = await loaded;
      setTimeout(warm, WARM_AFTER, vanguard);
      return vanguard.version;
    }
    case "judge": return judge(ask);
    case "cancel": cancelled.add(ask.job); return undefined;
    case "export":
      if (!kept) throw new Error("nothing was judged yet");
      return kept.report(ask.format, ask.redact);
    case "explain": return (await engine()).explain(ask.line, "text");
  }
}

tell({ id: 0, value: "here" }); // the script runs; the page may close the door

onmessage = (e: MessageEvent<Ask>) => {
  const { id } = e.data;
  answer(e.data).then((value) => tell({ id, value }), (err: unknown) => tell({ id, error: err instanceof Error ? err.message : String(err) }));
};
