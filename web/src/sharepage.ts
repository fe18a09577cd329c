// share.html: the one page that connects while a report is open elsewhere. It is handed ciphertext, uploads it, says what the
// server answered, and closes. It was opened without a way to the page that opened it.

import { byId } from "./dom";
import type { Upload, Uploaded } from "./share";

const base = new URL(".", (document.currentScript as HTMLScriptElement).src);
const say = (text: string) => { byId("state").textContent = text; };

const NONE = "this host keeps no shares; run your own: vanguard serve";
const WORDS: Record<number, string> = {
  413: "the report is too large to share; export it instead",
  429: "too many shares in a short time; try again later",
  507: "the server has no room left",
};

async function keep(u: Upload): Promise<Uploaded> {
  const { ciphertext, iv, open_hash, kdf, expires, burn } = u; // these and nothing else
  const r = await fetch(new URL("api/v1/shares", base), {
    method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ciphertext, iv, open_hash, expires, burn, ...(kdf ? { kdf } : {}) }),
  });
  const body: unknown = await r.json().catch(() => undefined);
  // A host of static files answers 404, 405 or 501, and nothing that a program could read.
  if (r.status !== 201) return { error: WORDS[r.status] ?? (body as { error?: string } | undefined)?.error ?? (r.status < 500 || r.status === 501 ? NONE : `the server answered ${r.status}`) };
  return body as Uploaded;
}

const name = location.hash.slice(1);
if (!/^[\w-]{16,64}$/.test(name)) say("This page uploads encrypted reports. There is none to upload: open it by “Share” in a report.");
else {
  const channel = new BroadcastChannel("vanguard-share-" + name);
  channel.onmessage = (e: MessageEvent<Upload>) => {
    channel.onmessage = null;
    say("Uploading the encrypted report…");
    keep(e.data).catch((err: unknown): Uploaded => ({ error: err instanceof Error ? err.message : String(err) })).then((answer) => {
      channel.postMessage(answer);
      say("error" in answer ? `Not shared: ${answer.error}` : "Done. You can close this window.");
      if (!("error" in answer)) setTimeout(() => close(), 300);
    });
  };
  channel.postMessage({ ready: true });
}
