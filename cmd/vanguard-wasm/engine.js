// The engine as JavaScript sees it. engine.d.ts describes it; main_js.go is its other half.
// Go's wasm_exec.js has to be loaded first: it defines globalThis.Go.

// Go functions cannot throw; they return an Error, which is thrown here.
function result(value) {
  if (value instanceof Error) throw value;
  return value;
}

export async function load(wasm) {
  const go = new globalThis.Go();
  const ready = new Promise((resolve) => { globalThis.vanguardReady = resolve; });
  const loaded = await WebAssembly.instantiate(wasm, go.importObject);
  const ended = go.run(loaded.instance ?? loaded).then(() => new Error("the engine ended"));
  const raw = result(await Promise.race([ready, ended]));
  delete globalThis.vanguardReady;
  const vanguard = Object.freeze({
    version: raw.version,
    rules: raw.rules,
    warm: () => result(raw.warm()),
    start(settings = "") {
      const run = result(raw.start(settings));
      const logs = (all) => result(raw.logs(run, JSON.stringify(all))).map((log) => Object.freeze({
        write: (bytes) => result(raw.write(log, bytes)),
        hungry: () => result(raw.hungry(log)),
        close: () => result(raw.close(log)),
      }));
      return Object.freeze({
        logs,
        source: (name) => logs([{ name }])[0],
        report: (format, redact = false) => result(raw.report(run, format, redact)),
        partial: () => result(raw.partial(run)),
        cancel: () => result(raw.cancel(run)),
      });
    },
    explain: (line, format = "json") => result(raw.explain(line, format)),
  });
  globalThis.vanguard = vanguard;
  return vanguard;
}
