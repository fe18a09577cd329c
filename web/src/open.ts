// /s/ID#KEY: somebody was given a link. Nothing is fetched before they say so, because a share may burn when it is opened.

import { announce, byId, h } from "./dom";
import { lockPage } from "./policy";
import type { Report } from "./report";
import { fromBase64, keysOf, toBase64, unseal, type Kdf } from "./share";

const CONSENT = 600; // ms after a warning in which a click still means what stood there before

interface About { bytes: number; burn: boolean; expires_at: string; kdf?: Kdf }

export async function openShared(id: string, base: URL, show: (r: Report, note: string) => void): Promise<void> {
  const url = new URL(`api/v1/shares/${id}`, base);
  const lock = byId("lock");
  byId("loading").hidden = true;
  byId("lock-text").textContent = "not opened yet";
  byId("input").hidden = true;
  const told = h("div", { role: "status" });
  const ask = h("form", { class: "card fields opening" });
  byId("intro").replaceChildren(h("h1", null, "A report was shared with you"),
    h("p", { class: "lead" }, "It is encrypted; the key is in the link that you were given. The server that keeps it cannot read it."), ask);
  const fragment = location.hash.slice(1);
  if (!/^[\w-]{43}$/.test(fragment)) {
    ask.replaceChildren(h("p", { class: "warn", role: "alert" }, "This link is not whole: the key behind the # is missing or cut off. Ask for it again."));
    return;
  }
  const key = fromBase64(fragment);
  let about: About | undefined;
  const password = h("input", { type: "password", id: "open-password", autocomplete: "off", "aria-describedby": "open-told" });
  told.id = "open-told";
  const passwordField = h("p", { hidden: true }, h("label", { for: "open-password" }, "Password"), password);
  const once = h("p", { class: "warn", id: "open-once", tabindex: -1, hidden: true }, h("strong", null, "This can be read once. "),
    "Opening it deletes it from the server: afterwards only this tab has it, until you close it. Export it there if you need it longer.");
  const go = h("button", { type: "submit", class: "main" }, "Open the report");
  ask.append(once, passwordField, h("div", { class: "row" }, go), told);
  ask.addEventListener("submit", (e) => { e.preventDefault(); void open(); });

  const get = async <T>(at: URL, init: RequestInit = {}): Promise<T> => {
    const r = await fetch(at, { credentials: "omit", ...init });
    if (r.status === 404) throw new Error("there is no such share: it has expired, was opened before, or was deleted");
    if (r.status === 403) throw new Error(about?.kdf ? "wrong password" : "the link’s key does not fit");
    if (!r.ok) throw new Error(`the server answered ${r.status}`);
    return r.json() as Promise<T>;
  };

  /** consent says what opening takes and does. Only what the reader does then opens the share, not a second click of the first. */
  async function consent({ burn, kdf }: About): Promise<void> {
    once.hidden = !burn;
    passwordField.hidden = !kdf;
    go.textContent = burn ? "Read it now, and delete it" : "Open with the password";
    told.replaceChildren(...(kdf ? [h("p", { class: "soft" }, "It needs a password. A wrong one deletes nothing.")] : []));
    (kdf ? password : once).focus();
    if (burn) announce(once.textContent ?? "");
    if (!kdf) await new Promise((r) => setTimeout(r, CONSENT)); // nobody types a password by accident
  }

  async function open(): Promise<void> {
    if (go.disabled) return;
    go.disabled = true;
    told.replaceChildren(h("p", { class: "soft" }, "Opening…"));
    try {
      if (!about) {
        about = await get<About>(url);
        if (about.burn || about.kdf) return await consent(about);
      }
      const keys = await keysOf(key, password.value, about.kdf);
      const got = await get<{ ciphertext: string; iv: string; burn: boolean; expires_at: string }>(new URL(`${id}/open`, url),
        { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: toBase64(keys.open) }) });
      lockPage(base); // from here on this page connects nowhere either
      lock.dataset["state"] = "locked";
      byId("lock-text").textContent = "offline";
      byId("lock-more").textContent = ": this page can no longer connect";
      const { report } = await unseal(got.ciphertext, got.iv, keys);
      byId("intro").hidden = true;
      show(report, got.burn ? "deleted from the server now: keep this page open, or export it" : `on the server until ${got.expires_at.slice(0, 10)}`);
      byId("bar").hidden = false;
    } catch (e) {
      told.replaceChildren(h("p", { class: "warn", role: "alert" }, e instanceof Error ? e.message : String(e)));
    } finally {
      go.disabled = false;
    }
  }
}
