// The findings: an incident per card, with the proof (the reader's own lines), the doubts, and what to do.

import { announce, codeBlock, copyButton, dialog, h, hiddenIn, marked, rich, visible } from "./dom";
import { linePasses, passes, type Criteria, type Filter } from "./filter";
import { count, grouped, outcomeLook, percent, period, STAGES, type Evidence, type Finding, type Report } from "./report";

const FIRST = 12; // findings shown at once; more on request
const MORE = 50;

export interface FindingActions {
  remove(lines: Evidence[]): void;
  benign(finding: Finding): void;
  explain(line: string): Promise<string>;
}

export function findings(report: Report, filter: Filter, act: FindingActions | undefined): HTMLElement {
  const grave = report.findings.filter((f) => !f.noise), noise = report.findings.filter((f) => f.noise);
  const list = new List(grave, filter, act, 0);
  const section = h("section", { class: "findings", "aria-labelledby": "findings-title" },
    h("header", null, h("h2", { id: "findings-title" }, grave.length ? "Findings" : report.verdict === "cant-tell" ? "Not judged" : "Nothing suspicious was found"), list.told));
  if (grave.length) section.append(list.element);
  else section.append(h("p", { class: "card soft" }, report.verdict === "cant-tell"
    ? "Too little could be understood to judge these lines."
    : "That is no proof that nothing happened: it says what these lines show, and “What could not be seen” says what they cannot."));
  if (noise.length) {
    const quiet = new List(noise, filter, act, grave.length);
    section.append(h("details", { class: "card noise" }, h("summary", null, h("span", null, report.noise?.summary ?? `background noise: ${count(noise.length, "finding")}`)),
      h("p", { class: "soft" }, "What every server on the internet sees. Refused or missing; none of it is worth waking anybody."), quiet.element));
  }
  return section;
}

/** A List keeps its cards: filtering hides them, so that the keyboard's focus stays where it is. */
class List {
  readonly element: HTMLElement;
  readonly told = h("p", { class: "soft", role: "status" });
  readonly #cards = new Map<Finding, { card: HTMLElement; apply: (c: Criteria) => void }>();
  readonly #items: HTMLElement;
  readonly #more: HTMLButtonElement;
  #limit = FIRST;
  #criteria: Criteria = {};

  constructor(readonly all: Finding[], readonly filter: Filter, readonly act: FindingActions | undefined, readonly offset: number) {
    this.#items = h("ol", { class: "list", start: offset + 1 });
    this.#more = h("button", { type: "button", class: "quiet", click: () => { this.#limit += MORE; this.#apply(); } });
    this.element = h("div", null, this.#items, this.#more);
    filter.listen((c) => { this.#criteria = c; this.#apply(); });
  }

  #apply(): void {
    const wanted = this.all.filter((f) => passes(f, this.#criteria));
    const shown = new Set(wanted.slice(0, this.#limit));
    for (const [f, { card }] of this.#cards) card.hidden = !shown.has(f);
    let before: Element | null = this.#items.firstElementChild;
    this.all.forEach((f, i) => {
      let made = this.#cards.get(f);
      if (!made && !shown.has(f)) return;
      if (!made) {
        made = card(f, this.offset + i + 1, this.filter, this.act, this.#cards.size === 0 && this.offset === 0);
        this.#cards.set(f, made);
        this.#items.insertBefore(made.card, before);
      }
      before = made.card.nextElementSibling;
      made.apply(this.#criteria);
    });
    const rest = wanted.length - shown.size;
    this.#more.hidden = rest <= 0;
    this.#more.textContent = `Show ${Math.min(rest, MORE)} more of ${grouped(rest)}`;
    this.told.textContent = wanted.length === this.all.length ? (this.all.length > 1 ? grouped(this.all.length) : "") : `${grouped(wanted.length)} of ${grouped(this.all.length)} shown`;
  }
}

function card(f: Finding, nr: number, filter: Filter, act: FindingActions | undefined, open: boolean): { card: HTMLElement; apply: (c: Criteria) => void } {
  const look = outcomeLook(f.outcome);
  const body = h("div", { class: "body", id: `finding-${f.id}-${nr}` });
  const table = new EvidenceTable(f, act);
  let filled = false;
  const toggle = (wide: boolean) => {
    if (wide && !filled) { filled = true; fillBody(body, f, table, filter, act); }
    body.hidden = !wide;
    button.setAttribute("aria-expanded", String(wide));
  };
  const button = h("button", { type: "button", class: "head", "aria-controls": body.id, click: () => toggle(!!body.hidden) },
    h("span", { class: "nr" }, nr), h("span", { class: "title" }, f.title), h("span", { class: "badge" }, h("span", { "aria-hidden": "true" }, look.icon), " ", look.word),
    h("span", { class: "meta" }, `${visible(f.actor.value ?? "source not named")} · ${count(f.events, "event")} · ${f.severity} · ${percent(f.confidence)} sure${f.classifier ? " · suspected by the classifier alone" : ""}`));
  const li = h("li", { class: `finding ${look.tone}`, "data-id": f.id, "data-threat": f.threat }, h("h3", null, button), body);
  toggle(open);
  return { card: li, apply: (c) => table.apply(c) };
}

function fillBody(body: HTMLElement, f: Finding, table: EvidenceTable, filter: Filter, act: FindingActions | undefined): void {
  const row = (name: string, ...value: (Node | string)[]) => h("div", null, h("dt", null, name), h("dd", null, ...value));
  const about = h("dl", { class: "about" });
  if (f.outcome_evidence) about.append(row("Proof", visible(f.outcome_evidence)));
  else if (f.outcome === "unknown") about.append(row("Proof", "nothing here shows whether it worked"));
  if (f.actor.value) about.append(row("Who", entityButton(filter, "actor", f.actor.value, f.actor.type), f.actor.notes?.length ? h("span", { class: "soft" }, " " + visible(f.actor.notes.join("; "))) : ""));
  if (f.targets?.length) about.append(row("On", ...f.targets.flatMap((t) => [entityButton(filter, "target", t.value, t.type), " "])));
  const when = period(f.first_seen, f.last_seen);
  if (when) about.append(row("When", when));
  if (f.stages?.length) about.append(row("Stages", f.stages.map((id) => { const st = STAGES.find((x) => x.id === id); return st ? `${st.word.toLowerCase()} (${id})` : id; }).join(" → ")));
  const ids = [...(f.attack ?? []).map((a) => `ATT&CK ${a}`), ...(f.owasp ?? []).map((o) => `OWASP ${o}`), ...(f.cwe ?? []).map((c) => `CWE-${c}`), ...(f.cve ?? [])];
  if (ids.length) about.append(row("Known as", h("span", { class: "soft" }, ids.map(visible).join(" · "))));
  about.append(row("Threat", h("button", { type: "button", class: "link", click: () => filter.toggle("threat", f.threat) }, f.threat), h("span", { class: "soft" }, ` more: `), h("code", null, `vanguard threats ${f.threat}`)));
  body.append(about, table.element);
  if (f.doubts?.length) body.append(h("h4", null, "What could be innocent about it"), h("ul", null, ...f.doubts.map((d) => h("li", null, ...rich(d)))));
  if (f.missing || f.log_hint) {
    body.append(h("h4", null, "What would settle it"), f.missing ? h("p", null, ...rich(f.missing)) : h("p"));
    if (f.log_hint) body.append(codeBlock(f.log_hint, "Log configuration that would settle it"));
  }
  if (f.advice?.length) body.append(h("header", { class: "sub" }, h("h4", null, "What to do"), copyButton("Copy steps", () => (f.advice ?? []).map((t, i) => `${i + 1}. ${visible(t)}`).join("\n"))), h("ol", null, ...f.advice.map((a) => h("li", null, ...rich(a)))));
  if (act) body.append(h("div", { class: "row actions" }, h("button", { type: "button", class: "quiet", click: () => act.benign(f) }, "This is benign…")));
}

/** witness words who suspects a line: a rule by its name, the classifier with what it takes the line for and how surely. */
function witness(by: string): string {
  const model = /^model:[^/]*\/([^/]+)\/(\d+)$/.exec(by);
  return model ? `classifier: ${model[1]} ${model[2]}%` : by.replace(/^rule:/, "");
}

/** entityButton filters the page by an address, account or route. */
export function entityButton(filter: Filter, key: "actor" | "target", value: string, type: string | undefined): HTMLButtonElement {
  const b = h("button", { type: "button", class: "entity", "data-entity": value, click: () => filter.toggle(key, value) },
    type && type !== "ip" ? h("span", { class: "kind" }, type) : undefined, h("span", { class: "value" }, visible(value)));
  filter.listen((c) => b.setAttribute("aria-pressed", String(c[key] === value)));
  return b;
}

/** The reader's own lines, with numbers, the guilty bytes marked, and boxes to take lines out. */
class EvidenceTable {
  readonly element = h("div", { class: "evidence" });
  readonly #rows: { line: Evidence; row: HTMLElement; box: HTMLInputElement | undefined }[] = [];
  readonly #none = h("p", { class: "soft", hidden: true }, "None of these lines lies in the time that you chose.");

  constructor(f: Finding, act: FindingActions | undefined) {
    const lines = f.evidence ?? [];
    if (!lines.length) return;
    const sources = new Set(lines.map((e) => e.source));
    let why = "", said = "";
    for (const e of lines) {
      const where = sources.size > 1 ? `${visible(e.source ?? "")}:${e.line}` : String(e.line);
      const box = act ? h("input", { type: "checkbox", "aria-label": `Choose line ${where}`, change: () => this.#chosen(remove, lines) }) : undefined;
      const text = h("code", { dir: "ltr" }, ...marked(e.text, e.spans));
      const reason = e.why && e.why !== why ? h("p", null, visible(e.why)) : undefined;
      why = e.why ?? "";
      const by = (e.by ?? []).filter((b) => !/^rule:[0-9a-f]{8}-/i.test(b)).map((b) => visible(witness(b))).join(", ");
      const news = by === said ? "" : by;
      said = by;
      const explain = act ? h("button", { type: "button", class: "link", "aria-label": `Explain line ${where}`, click: () => void show(act, e) }, "explain") : undefined;
      const row = h("tr", null, h("th", { scope: "row" }, h("label", null, box, h("span", null, where))),
        h("td", null, text, reason, h("p", { class: "by" }, news, news ? " · " : undefined, explain)));
      this.#rows.push({ line: e, row, box });
    }
    const remove = h("button", { type: "button", class: "quiet", click: () => act?.remove(this.#rows.filter((r) => r.box?.checked || !this.#anyChosen()).map((r) => r.line)) });
    const odd = lines.reduce((n, e) => n + hiddenIn(e.text), 0);
    this.element.append(
      h("div", { class: "scroll" }, h("table", null, h("caption", null, `Evidence: ${count(lines.length, "line")} of ${count(f.events, "event")}${sources.size === 1 && lines[0]?.source ? `, ${visible(lines[0].source)}` : ""}`),
        h("thead", null, h("tr", null, h("th", { scope: "col" }, "line"), h("th", { scope: "col" }, "what it says, and why it counts"))),
        h("tbody", null, ...this.#rows.map((r) => r.row)))), this.#none);
    if (odd) this.element.append(h("p", { class: "warn" }, `▲ ${count(odd, "character")} in these lines would hide, move or reverse text. They are shown as escapes, such as `, h("span", { class: "esc" }, "\\x1b"), "."));
    if (act) {
      this.element.append(h("div", { class: "row actions" }, remove));
      this.#chosen(remove, lines);
    }
  }

  #anyChosen(): boolean { return this.#rows.some((r) => r.box?.checked); }

  #chosen(button: HTMLElement, lines: Evidence[]): void {
    const n = this.#rows.filter((r) => r.box?.checked).length || lines.length;
    button.textContent = n === 1 ? "Remove this line and judge again" : `Remove these ${n} lines and judge again`;
  }

  apply(c: Criteria): void {
    let shown = 0;
    for (const { line, row } of this.#rows) {
      row.hidden = !linePasses(line, c);
      if (!row.hidden) shown++;
    }
    this.#none.hidden = shown > 0 || this.#rows.length === 0;
  }
}

async function show(act: FindingActions, e: Evidence): Promise<void> {
  let text: string;
  try {
    text = await act.explain(e.text);
  } catch (err) {
    text = String(err);
  }
  dialog(`Line ${e.line}, step by step`, h("p", { class: "soft" }, "How the engine reads this one line by itself: its fields, who wrote each of them, what it says once decoded, and what is suspect about it."),
    h("pre", { class: "explain", tabindex: 0, role: "region", "aria-label": "Explanation" }, text.split("\n").map(visible).join("\n")));
  announce("Explanation shown");
}
