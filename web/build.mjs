// Bundles the page: `npm run build` writes dist/. Files are few and their names are plain, so that a reader can compare them
// with what a host serves. pack.mjs then adds hashes and packed siblings.
import * as esbuild from "esbuild";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

process.chdir(import.meta.dirname ?? new URL(".", import.meta.url).pathname);
mkdirSync("dist", { recursive: true });

// Go's own glue between JavaScript and a program in WebAssembly; it has to be that of the Go that builds the engine.
if (!existsSync("gen/wasm_exec.js")) {
  mkdirSync("gen", { recursive: true });
  copyFileSync(join(execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim(), "lib/wasm/wasm_exec.js"), "gen/wasm_exec.js");
}

await esbuild.build({
  entryPoints: { app: "src/main.ts", worker: "src/worker.ts", share: "src/sharepage.ts", styles: "src/styles.css" },
  outdir: "dist", bundle: true, minify: true, format: "iife", target: ["es2022", "chrome109", "firefox115", "safari16.4"],
  charset: "utf8", legalComments: "none", logLevel: "warning",
  loader: { ".log": "text", ".json": "text" }, // the examples
});

for (const page of ["index.html", "share.html"]) {
  const html = readFileSync(page, "utf8");
  writeFileSync(join("dist", page), html);
  // The same page one folder down: what a share's link /s/ID shows.
  if (page === "index.html") writeFileSync("dist/open.html", html.replace(/<link rel="preload".*\n/g, "").replace(/(src|href)="(?![#"]|data:)/g, '$1="../'));
}
