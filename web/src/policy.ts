// Content-Security-Policy, tightened from within. Policies add up: inserting one can only forbid more, and nothing can take it back.

/** Once everything is here: nothing leaves the page. */
export const LOCKED = "default-src 'none'; connect-src 'none'; script-src 'none'; worker-src 'none'; child-src 'none'; frame-src 'none'; img-src data:; " +
  "font-src 'none'; media-src 'none'; object-src 'none'; manifest-src 'none'; form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'";

/** What the worker is made under. A worker from a blob inherits the policy of its maker, for life: it was made from a blob, and can
 *  compile the engine, but load no script, not even one of the page's own host (an address can carry data, too). */
export const WORKER = "default-src 'none'; connect-src 'none'; script-src 'wasm-unsafe-eval'; worker-src blob:; style-src 'self'; img-src data:; form-action 'none'; base-uri 'none'";

/** lockPage closes the page for good: nothing loads or sends any more, and where browsers have a Navigation API, nothing but a reader's own click on
 *  one of the page's links leads elsewhere. base is where the page lies. */
export function lockPage(base: URL): void {
  tighten(LOCKED);
  const own = new Set([base.href, new URL("trust.html", base).href]);
  globalThis.navigation?.addEventListener("navigate", (e) => {
    if (e.hashChange || e.navigationType === "traverse" || (e.navigationType === "reload" && !e.destination.sameDocument)) return;
    const to = e.destination.url.replace(/#.*/, "");
    if (e.downloadRequest !== null ? to.startsWith("blob:") : !e.destination.sameDocument && own.has(to)) return;
    e.preventDefault();
  });
}

export function tighten(policy: string): void {
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  meta.content = policy;
  document.head.append(meta);
}
