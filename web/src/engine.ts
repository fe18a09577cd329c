// The page's side of the engine: fetch it, put it into a worker, and close the door behind it.

import type { Ask, Judged, LogInput, Progress, Told } from "./worker";
import type { Format } from "../../cmd/vanguard-wasm/engine.js";
import { lockPage, tighten, WORKER } from "./policy";
import type { Settings } from "./report";

// Trusted Types ask for a named policy before a string may become a worker. This one lets exactly one blob through.
interface ScriptURLs { createScriptURL(url: string): string }
declare global {
  interface Window { trustedTypes?: { createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): ScriptURLs } }
}

/** What index.html says of a file that it loads later: subresource integrity for fetch. */
function integrityOf(file: string): { integrity?: string } {
  const hash = document.querySelector(`link[rel="preload"][href$="${file}"]`)?.getAttribute("data-integrity");
  return hash ? { integrity: hash } : {};
}

export type LoadProgress = (done: number, total: number) => void;
type Pending = { resolve: (v: never) => void; reject: (e: Error) => void; progress?: ((p: Progress) => void) | undefined };

export class Engine {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  onFatal: (why: string) => void = () => undefined;

  readonly #here: Promise<void>; // the worker's script runs
  #arrived: () => void = () => undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#here = new Promise((resolve, reject) => { this.#arrived = resolve; this.onFatal = (why) => reject(new Error(why)); });
    worker.onmessage = (e: MessageEvent<Told>) => this.#hear(e.data);
    worker.onerror = (e) => this.#fail(e.message || "the engine stopped");
  }

  /** load fetches the engine, hands it to its worker, and tightens the policy: when it returns, nothing can connect any more. The engine
   *  may still be starting; what it is asked meanwhile waits. base is where the files lie. */
  static async load(base: URL, progress: LoadProgress): Promise<Engine> {
    const [worker, module] = await Promise.all([text(new URL("worker.js", base)), compile(new URL("vanguard.wasm", base), progress)]);
    tighten(WORKER);
    const url = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
    const trusted = window.trustedTypes?.createPolicy("vanguard", { createScriptURL: (u) => { if (u !== url) throw new Error("no other script"); return u; } });
    const engine = new Engine(new Worker(trusted ? trusted.createScriptURL(url) : url, { name: "vanguard" }));
    await engine.#here;
    URL.revokeObjectURL(url);
    lockPage(base);
    engine.#ask<string>({ id: 0, op: "load", module }).catch((e: Error) => engine.#fail(e.message));
    return engine;
  }

  judge(inputs: LogInput[], settings: Settings, keep: boolean, progress?: (p: Progress) => void): { done: Promise<Judged>; cancel: () => void } {
    const ask: Ask = { id: 0, op: "judge", inputs, settings, keep };
    const done = this.#ask<Judged>(ask, progress);
    return { done, cancel: () => void this.#ask({ id: 0, op: "cancel", job: ask.id }) };
  }

  export(format: Format, redact: boolean): Promise<string> { return this.#ask({ id: 0, op: "export", format, redact }); }
  explain(line: string): Promise<string> { return this.#ask({ id: 0, op: "explain", line }); }

  #ask<T>(ask: Ask, progress?: (p: Progress) => void): Promise<T> {
    ask.id = ++this.#last;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(ask.id, { resolve, reject, progress });
      this.#worker.postMessage(ask);
    });
  }

  #hear(told: Told): void {
    if (told.id === 0) {
      if ("value" in told && told.value === "warm") document.documentElement.dataset["warm"] = "true"; // tests wait for it
      return this.#arrived();
    }
    const p = this.#pending.get(told.id);
    if (!p) return;
    if ("progress" in told) return p.progress?.(told.progress);
    this.#pending.delete(told.id);
    if ("error" in told) p.reject(new Error(told.error));
    else p.resolve(told.value as never);
  }

  #fail(why: string): void {
    for (const p of this.#pending.values()) p.reject(new Error(why));
    this.#pending.clear();
    this.onFatal(why);
  }
}

async function text(url: URL): Promise<string> {
  const r = await fetch(url, integrityOf("worker.js"));
  if (!r.ok) throw new Error(`worker.js: ${r.status} ${r.statusText}`);
  return r.text();
}

/** compile fetches and compiles at once, and says how far it is. */
async function compile(url: URL, progress: LoadProgress): Promise<WebAssembly.Module> {
  const r = await fetch(url, integrityOf("vanguard.wasm"));
  if (!r.ok || !r.body) throw new Error(`vanguard.wasm: ${r.status} ${r.statusText}`);
  const total = r.headers.get("Content-Encoding") ? 0 : Number(r.headers.get("Content-Length") ?? 0);
  let done = 0;
  const counted = r.body.pipeThrough(new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, out) { done += chunk.byteLength; progress(done, total); out.enqueue(chunk); },
  }));
  return WebAssembly.compileStreaming(new Response(counted, { headers: { "Content-Type": "application/wasm" } }));
}
