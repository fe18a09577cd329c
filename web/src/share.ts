// Encrypted shares, docs/share.md: the report is packed and encrypted here, under a key that only the link holds. This page may not
// connect, so another page of the same origin (share.html), which gets the ciphertext over a channel and nothing else, uploads it.

import { announce, codeBlock, copyButton, dialog, h, visible } from "./dom";
import { count, SCHEMA, type Report } from "./report";

const LABEL = "vanguard share 1";
const ITERATIONS = 600_000;
const MAX_JSON = 64 << 20; // bytes of unpacked JSON that a reader accepts
const PATIENCE = 60_000; // ms that the uploading page may take

export interface Kdf { name: string; iterations: number; salt: string }
export interface Sealed { ciphertext: string; iv: string; open_hash: string; kdf?: Kdf }
/** What goes over the channel to share.html: ciphertext and how to keep it. */
export interface Upload extends Sealed { expires: number; burn: boolean }
export type Uploaded = { id: string; delete_token: string; expires_at: string } | { error: string };

type Bytes = Uint8Array<ArrayBuffer>;
const utf8 = (s: string): Bytes => new TextEncoder().encode(s);
const random = (n: number): Bytes => crypto.getRandomValues(new Uint8Array(n));

/** base64url without padding (RFC 4648, section 5). */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

async function through(bytes: Bytes, by: TransformStream<BufferSource, Bytes>, limit: number): Promise<Bytes> {
  const parts: Bytes[] = [];
  let size = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(by).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > limit) throw new Error("this share unpacks to more than a report can be");
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

interface Keys { content: CryptoKey; open: Bytes }

/** keysOf derives what encrypts the content and what opens the share from the link's key and the password, if there is one. */
export async function keysOf(key: Bytes, password: string, kdf: Kdf | undefined): Promise<Keys> {
  let secret = key;
  if (kdf) {
    const word = await crypto.subtle.importKey("raw", utf8(password.normalize("NFC")), "PBKDF2", false, ["deriveBits"]);
    const p = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: fromBase64(kdf.salt), iterations: kdf.iterations }, word, 256);
    secret = new Uint8Array([...key, ...new Uint8Array(p)]);
  }
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const derive = (what: string) => crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: utf8(`${LABEL} ${what}`) }, base, 256);
  const content = await crypto.subtle.importKey("raw", await derive("content"), "AES-GCM", false, ["encrypt", "decrypt"]);
  return { content, open: new Uint8Array(await derive("open")) };
}

/** seal packs and encrypts a report; logs only if the sender chose so. */
export async function seal(report: Report, logs: { name: string; text: string }[], password: string): Promise<{ key: string; sealed: Sealed }> {
  const plain = utf8(JSON.stringify({ schema: "vanguard.share/1", report, ...(logs.length ? { logs } : {}) }));
  const packed = await through(plain, new CompressionStream("gzip"), Infinity);
  const key = random(32), iv = random(12);
  const kdf: Kdf | undefined = password ? { name: "PBKDF2-SHA-256", iterations: ITERATIONS, salt: toBase64(random(16)) } : undefined;
  const keys = await keysOf(key, password, kdf);
  const ciphertext = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(LABEL) }, keys.content, packed);
  const hash = await crypto.subtle.digest("SHA-256", keys.open);
  return { key: toBase64(key), sealed: { ciphertext: toBase64(new Uint8Array(ciphertext)), iv: toBase64(iv), open_hash: toBase64(new Uint8Array(hash)), ...(kdf ? { kdf } : {}) } };
}

/** unseal is seal undone. It throws if a byte was changed. */
export async function unseal(ciphertext: string, iv: string, keys: Keys): Promise<{ report: Report; logs: { name: string; text: string }[] }> {
  const packed = await crypto.subtle.decrypt({ name: "AES-GCM", iv: fromBase64(iv), additionalData: utf8(LABEL) }, keys.content, fromBase64(ciphertext));
  const plain = await through(new Uint8Array(packed), new DecompressionStream("gzip"), MAX_JSON);
  const share = JSON.parse(new TextDecoder().decode(plain)) as { schema?: string; report?: Report; logs?: { name: string; text: string }[] };
  if (share.schema !== "vanguard.share/1" || share.report?.schema !== SCHEMA) throw new Error("this share was made by another version");
  return { report: harmless(share.report), logs: share.logs ?? [] };
}

/** harmless is a report of unknown origin in which no text but the quoted lines, which the page escapes by itself, can act on its reader. */
function harmless<T>(v: T, key = ""): T {
  if (typeof v === "string") return (key === "text" ? v : v.split("\n").map(visible).join("\n")) as T;
  if (Array.isArray(v)) return v.map((x: unknown) => harmless(x, key)) as T;
  if (v && typeof v === "object") return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, harmless(x as unknown, k)])) as T;
  return v;
}

/** upload opens share.html and hands it the ciphertext. The window has no way back to this one: only the channel connects them. */
function upload(base: URL, make: () => Promise<Upload>): Promise<Uploaded> {
  const name = toBase64(random(16));
  const channel = new BroadcastChannel("vanguard-share-" + name);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { channel.close(); reject(new Error("the page that uploads did not answer: was its window blocked or closed?")); }, PATIENCE);
    channel.onmessage = (e: MessageEvent<{ ready: true } | Uploaded>) => {
      if ("ready" in e.data) return void make().then((u) => channel.postMessage(u), (err: unknown) => { clearTimeout(timer); reject(err as Error); });
      clearTimeout(timer);
      channel.close();
      resolve(e.data);
    };
    // In the same tick as the click: browsers allow a window only then.
    open(new URL("share.html#" + name, base), "_blank", "noopener,popup,width=520,height=420");
  });
}

const EXPIRIES: [number, string][] = [[3600, "1 hour"], [86400, "1 day"], [604800, "7 days"], [2592000, "30 days"]];

export interface Shareable {
  report(): Promise<string>; // JSON, secrets hidden
  logs?: { bytes: number; read(): Promise<{ name: string; text: string }[]> }; // what the sender may add
}

/** askShare asks how to share, then does it. */
export function askShare(shown: Report, base: URL, what: Shareable): void {
  const expires = h("select", { id: "share-expires" }, ...EXPIRIES.map(([s, word]) => h("option", { value: s, selected: s === 604800 }, word)));
  const burn = h("input", { type: "checkbox", id: "share-burn" });
  const password = h("input", { type: "password", id: "share-password", autocomplete: "new-password" });
  const withLogs = h("input", { type: "checkbox", id: "share-logs" });
  const lines = shown.findings.reduce((n, f) => n + (f.evidence?.length ?? 0), 0);
  const told = h("div", { role: "status", class: "link-out" });
  const go = h("button", { type: "submit", class: "main" }, "Encrypt and share");
  const form = h("form", { class: "fields", submit: (e) => { e.preventDefault(); void share(); } },
    h("p", null, `The report is encrypted on this device; the key stays in the link. It quotes ${count(lines, "line")} of yours${shown.redacted ? `, with ${count(shown.redacted, "secret")} hidden` : ""}; the log itself stays here.`),
    h("p", null, h("label", { for: "share-expires" }, "Deleted after"), expires),
    h("p", null, h("label", { for: "share-password" }, "Password (optional)"), password, h("small", { class: "soft" }, "Tell it by another way than the link.")),
    h("div", { class: "choice" }, burn, h("label", { for: "share-burn" }, "Delete it once it was opened")),
    what.logs ? h("div", { class: "choice" }, withLogs, h("label", { for: "share-logs" }, "Share the log as well, as it stands, with its secrets")) : undefined,
    h("div", { class: "row" }, go));
  const d = dialog("Share an encrypted link", form, told);

  async function share(): Promise<void> {
    go.disabled = true;
    told.replaceChildren(h("p", { class: "soft" }, "Encrypting; a second window uploads the ciphertext…"));
    let key = "";
    try {
      const done = await upload(base, async () => {
        const report = JSON.parse(await what.report()) as Report;
        const made = await seal(report, withLogs.checked && what.logs ? await what.logs.read() : [], password.value);
        key = made.key;
        return { ...made.sealed, expires: Number(expires.value), burn: burn.checked };
      });
      if ("error" in done) throw new Error(done.error);
      const link = new URL(`s/${encodeURIComponent(done.id)}#${key}`, base).href;
      form.hidden = true;
      const field = h("input", { type: "text", readonly: true, id: "share-link", value: link, "aria-label": "The link" });
      told.replaceChildren(h("p", null, h("strong", null, "Whoever has this link can read the report"), password.value ? " with the password." : "."), field, h("div", { class: "row" }, copyButton("Copy the link", () => link, "main")),
        h("p", { class: "soft" }, `Deleted ${burn.checked ? "when it is opened, or " : ""}on ${done.expires_at.replace("T", " ").replace(/:\d\d(\.\d+)?Z$/, " UTC")}. To delete it earlier, keep this:`),
        codeBlock(`curl -X DELETE -H 'Authorization: Bearer ${done.delete_token}' ${new URL(`api/v1/shares/${encodeURIComponent(done.id)}`, base).href}`, "Command that deletes the share"));
      field.focus();
      field.select();
      announce("Shared. The link is ready.");
    } catch (e) {
      go.disabled = false;
      told.replaceChildren(h("p", { class: "warn", role: "alert" }, `Not shared: ${e instanceof Error ? e.message : String(e)}`));
    }
  }
  d.querySelector("select")?.focus();
}
