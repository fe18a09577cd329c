// Content-Security-Policy, tightened from within. Policies add up: inserting one can only forbid more, and nothing can take it back.

/** Once everything is here: nothing leaves the page. */
export const LOCKED = "default-src 'none'; connect-src 'none'; script-src 'none'; worker-src 'none'; child-src 'none'; frame-src 'none'; img-src data:; " +
  "font-src 'none'; media-src 'none'; object-src 'none'; manifest-src 'none'; form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'";

/** What the worker is made under. A worker from a blob inherits the policy of its maker, for life. */
export const WORKER = "connect-src 'none'; img-src 'none'; font-src 'none'; media-src 'none'; form-action 'none'; base-uri 'none'";

export function tighten(policy: string): void {
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  meta.content = policy;
  document.head.append(meta);
}
