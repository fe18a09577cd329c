// How log bytes become something to look at. Everything on the page is made here, by createElement and text nodes: no string
// ever becomes markup (the policy "require-trusted-types-for 'script'" would refuse it), and every character that could
// hide, move or reverse others is shown as its escape.

type Child = Node | string | number | undefined | null | false;
type Props = Record<string, string | number | boolean | EventListener | undefined>;

/** h makes an element: h("p", {class: "soft"}, "text", node). A function is a listener, true an empty attribute, false none. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props?: Props | null, ...children: Child[]): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), props, children);
}

/** s makes an SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(tag: K, props?: Props | null, ...children: Child[]): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function fill<E extends Element>(el: E, props: Props | null | undefined, children: Child[]): E {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (typeof value === "function") el.addEventListener(key, value);
    else if (value === true) el.setAttribute(key, "");
    else if (value !== false && value !== undefined) el.setAttribute(key, String(value));
  }
  append(el, ...children);
  return el;
}

export function append(el: Element, ...children: Child[]): void {
  for (const c of children) {
    if (c === undefined || c === null || c === false) continue;
    el.append(typeof c === "number" ? String(c) : c);
  }
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const el = document.getElementById(id);
  if (!el) throw new Error(`the page has no #${id}`);
  return el as T;
}

// All but letters, marks, digits, punctuation, symbols and the space; and letters that are blank to the eye.
const HIDDEN = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|[\u115f\u1160\u3164\uffa0\u2800]/gu;

function escaped(c: string): string {
  switch (c) {
    case "\n": return "\\n";
    case "\r": return "\\r";
    case "\t": return "\\t";
  }
  const code = c.codePointAt(0) ?? 0;
  if (code < 0x80) return "\\x" + code.toString(16).padStart(2, "0");
  if (code < 0x10000) return "\\u" + code.toString(16).padStart(4, "0");
  return "\\U" + code.toString(16).padStart(8, "0");
}

/** visible shows text on one line, with everything that could act on a reader escaped. */
export const visible = (text: string): string => text.replace(HIDDEN, escaped);

/** How many characters of text are shown as escapes. Line ends and tabs are no sign of ill will. */
export function hiddenIn(text: string): number {
  let n = 0;
  for (const m of text.matchAll(HIDDEN)) if (!/[\n\r\t]/.test(m[0])) n++;
  return n;
}

/** logText is text from the log as nodes: escapes look like escapes. */
export function logText(text: string): Node[] {
  const out: Node[] = [];
  let at = 0;
  for (const m of text.matchAll(HIDDEN)) {
    if (m.index > at) out.push(document.createTextNode(text.slice(at, m.index)));
    const last = out[out.length - 1];
    if (last instanceof HTMLElement && m.index === at && last.className === "esc") last.textContent += escaped(m[0]);
    else out.push(h("span", { class: "esc" }, escaped(m[0])));
    at = m.index + m[0].length;
  }
  if (at < text.length) out.push(document.createTextNode(text.slice(at)));
  return out;
}

/** marked is an evidence line with its guilty bytes in <mark>. Spans are byte offsets; only the window around them of a long line is shown. */
export function marked(text: string, spans: [number, number][] | undefined, limit = 1200): Node[] {
  const bytes = new TextEncoder().encode(text);
  const decode = (a: number, b: number) => new TextDecoder().decode(bytes.subarray(a, b));
  const whole = (at: number) => { while (at > 0 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--; return at; };
  const sorted = (spans ?? []).map(([a, b]) => [whole(Math.max(0, a)), whole(Math.min(b, bytes.length))] as const)
    .filter(([a, b]) => a < b).sort((x, y) => x[0] - y[0]);
  let from = 0, to = bytes.length;
  if (bytes.length > limit) {
    const first = sorted[0]?.[0] ?? 0;
    from = whole(first > limit * 3 / 4 ? first - Math.floor(limit / 4) : 0);
    to = whole(Math.min(bytes.length, from + limit));
  }
  const out: Node[] = [];
  if (from > 0) out.push(h("span", { class: "cut", title: "bytes left out" }, `… ${from} bytes … `));
  let at = from;
  for (const [a, b] of sorted) {
    if (b <= at || a >= to) continue;
    if (a > at) out.push(...logText(decode(at, a)));
    const m = h("mark");
    append(m, ...logText(decode(Math.max(a, at), Math.min(b, to))));
    out.push(m);
    at = Math.min(b, to);
  }
  if (at < to) out.push(...logText(decode(at, to)));
  if (to < bytes.length) out.push(h("span", { class: "cut" }, ` … ${bytes.length - to} bytes more`));
  return out;
}

/** rich is a sentence of ours whose commands stand between backticks; a command worth copying becomes a button that copies it. */
export function rich(sentence: string): Node[] {
  const parts = visible(sentence).split("`");
  return parts.flatMap((part, i): Node[] => {
    if (part === "") return [];
    // A word joiner keeps a bracket or full stop on the line of the command that it belongs to.
    if (i % 2 === 0 || i === parts.length - 1) return [document.createTextNode(i % 2 ? "`" + part : part.replace(/^(?=[).,;:])/, i ? "\u2060" : "").replace(/\($/, "(\u2060"))];
    return [/\s/.test(part) || part.length > 24 ? copyable(part) : h("code", null, part)];
  });
}

const copyIcon = () => s("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" },
  s("rect", { x: 5.5, y: 5.5, width: 8, height: 8, rx: 1.5 }), s("path", { d: "M10.5 3.5v-.5a1 1 0 0 0-1-1H3.5a1 1 0 0 0-1 1v6.5a1 1 0 0 0 1 1h.5" }));

function copyable(text: string): HTMLElement {
  const b = h("button", { type: "button", class: "code", "aria-label": `Copy: ${text}`, click: () => void copy(text, b) }, h("code", null, text), copyIcon());
  return b;
}

/** copyButton copies what text() gives and says what it copies. */
export function copyButton(label: string, text: () => string | Promise<string>, cls = "quiet"): HTMLButtonElement {
  const word = h("span", null, label);
  const b = h("button", { type: "button", class: cls, click: async () => void copy(await text(), b) }, copyIcon(), word);
  return b;
}

async function copy(text: string, button: HTMLElement): Promise<void> {
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No permission, or no secure context: the old way works there.
    const area = h("textarea", { class: "offscreen", "aria-hidden": "true" });
    area.value = text;
    (button.closest("dialog") ?? document.body).append(area);
    area.select();
    if (!document.execCommand("copy")) said = "Select and copy it yourself: the browser refused";
    area.remove();
    button.focus();
  }
  announce(said);
  button.dataset["copied"] = "true";
  setTimeout(() => delete button.dataset["copied"], 1600);
}

/** announce tells a screen reader. */
export function announce(text: string): void {
  const region = byId("announce");
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 30);
}

/** code is a block to copy: a configuration, a command. */
export function codeBlock(text: string, label: string): HTMLElement {
  return h("div", { class: "block" }, h("pre", { tabindex: 0, role: "group", "aria-label": label }, h("code", null, text.split("\n").map(visible).join("\n").replace(/^ {3,}/gm, "  "))), copyButton("Copy", () => text));
}

/** dialog opens a modal with a heading and a close button; it leaves the document when it closes. */
export function dialog(title: string, ...children: Child[]): HTMLDialogElement {
  const close = h("button", { type: "button", class: "close", "aria-label": "Close", click: () => d.close() }, "×");
  const d = h("dialog", { "aria-labelledby": "dialog-title" }, h("header", null, h("h2", { id: "dialog-title" }, title), close), ...children);
  d.addEventListener("click", (e) => { if (e.target === d) d.close(); });
  d.addEventListener("close", () => d.remove());
  document.body.append(d);
  d.showModal();
  return d;
}

/** save hands bytes to the user as a file. */
export function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const a = h("a", { href: url, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A word for the POSIX shell, whatever it holds; undefined if it holds something that no terminal should be given. */
export function shellWord(word: string): string | undefined {
  if (visible(word) !== word) return undefined;
  return /^[\w@%+=:,./-]+$/.test(word) && !word.startsWith("-") ? word : "'" + word.replaceAll("'", `'\\''`) + "'";
}
