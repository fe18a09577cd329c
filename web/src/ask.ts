// Two questions that a reader may ask back: "what if this is benign?" and "what if these lines were not there?"

import { codeBlock, dialog, h, shellWord, visible } from "./dom";
import { count, percent, verdictLook, type Evidence, type Finding, type Report, type Settings } from "./report";

/** benignEntries are the allowlist entries that could cover a finding, the narrowest first. */
function benignEntries(f: Finding): { entry: string; word: string }[] {
  const out: { entry: string; word: string }[] = [];
  const { type, value } = f.actor;
  if (value && (type === "ip" || type === "cidr")) out.push({ entry: value, word: type === "ip" ? "everything that this address does" : "everything that this network does" });
  if (value && type === "account") out.push({ entry: `account:${value}`, word: "everything that this account does" });
  for (const t of f.targets ?? []) {
    if (t.type === "account" && t.value !== value) out.push({ entry: `account:${t.value}`, word: "everything that this account does" });
    if (t.type === "route") out.push({ entry: `route:${t.value}`, word: "everything on this route, whoever does it" });
  }
  const rules = new Set((f.evidence ?? []).flatMap((e) => e.by ?? []).filter((b) => b.startsWith("rule:")));
  for (const r of rules) out.push({ entry: r, word: "this rule, for everybody" });
  return out.filter((e, i) => out.findIndex((x) => x.entry === e.entry) === i);
}

export function askBenign(f: Finding, report: Report, preview: (entry: string) => Promise<Report>, apply: (entry: string) => void): void {
  const entries = benignEntries(f);
  const told = h("div", { class: "preview", role: "status" });
  const copy = h("div");
  const use = h("button", { type: "button", class: "main", disabled: true, click: () => { d.close(); apply(chosen); } }, "Judge again with it");
  let chosen = "", asked = 0;
  const choose = async (entry: string) => {
    chosen = entry;
    const mine = ++asked;
    use.disabled = false;
    const word = shellWord(entry);
    copy.replaceChildren(...(word ? [codeBlock(`--allow ${word}`, "Allowlist entry")] : []));
    told.replaceChildren(h("p", { class: "soft" }, "Judging the same lines with it…"));
    let after: Report;
    try {
      after = await preview(entry);
    } catch (e) {
      if (mine === asked) told.replaceChildren(h("p", { class: "warn" }, e instanceof Error ? e.message : String(e)));
      return;
    }
    if (mine === asked) told.replaceChildren(...difference(report, after, f));
  };
  const d = dialog("This is benign", h("p", null, `Which of these do you know to be innocent? You see what else each would hide before you use it.`),
    h("fieldset", { class: "choices" }, h("legend", null, `${f.title}, ${visible(f.actor.value ?? "source not named")}`),
      ...entries.map((e, i) => {
        const id = `entry-${i}`;
        return h("div", null, h("input", { type: "radio", name: "entry", id, change: () => void choose(e.entry) }), h("label", { for: id }, h("code", null, visible(e.entry)), h("span", { class: "soft" }, " " + e.word)));
      }), entries.length ? undefined : h("p", { class: "soft" }, "Nothing in this finding can be named in an allowlist.")),
    told, copy, h("div", { class: "row" }, use));
}

/** difference says what changed between two reports about the same lines; of: the finding that was meant to go. */
export function difference(before: Report, after: Report, of?: Finding): Node[] {
  const key = (f: Finding) => `${f.threat} ${f.actor.type ?? ""} ${f.actor.value ?? ""}`;
  const left = new Map(after.findings.map((f) => [key(f), f]));
  const gone = before.findings.filter((f) => !left.has(key(f)));
  const fewer = before.findings.filter((f) => { const a = left.get(key(f)); return a && (a.events < f.events || a.outcome !== f.outcome); });
  const was = verdictLook(before.verdict), is = verdictLook(after.verdict);
  const out: Node[] = [h("p", { class: "change" }, h("span", { class: was.tone }, `${was.icon} ${was.word} ${percent(before.confidence)}`), " → ", h("strong", { class: is.tone }, `${is.icon} ${is.word} ${percent(after.confidence)}`))];
  const others = of ? gone.filter((f) => f !== of) : gone;
  if (of) out.push(h("p", null, gone.includes(of) ? "This finding goes away." : "This finding stays: the entry covers only a part of it."));
  if (others.length) {
    out.push(h("p", null, of ? `It also hides ${count(others.length, "finding")}:` : `${count(others.length, "finding")} less:`), h("ul", null, ...others.slice(0, 8).map((f) => h("li", null, `${f.title}, ${visible(f.actor.value ?? "source not named")}, ${count(f.events, "event")}, ${f.outcome}`)),
      others.length > 8 ? h("li", null, `and ${others.length - 8} more`) : undefined));
  } else if (of) out.push(h("p", null, "It hides no other finding."));
  if (fewer.length) out.push(h("p", null, `${count(fewer.length, "finding")} with fewer events or another outcome: ${fewer.slice(0, 4).map((f) => f.title).join(", ")}${fewer.length > 4 ? "…" : ""}`));
  const had = new Set(before.findings.map(key)), more = after.findings.filter((f) => !had.has(key(f)));
  if (more.length) out.push(h("p", null, `${count(more.length, "finding")} more: ${more.slice(0, 4).map((f) => f.title).join(", ")}${more.length > 4 ? "…" : ""}`));
  if (!of && !others.length && !fewer.length && !more.length) out.push(h("p", null, "The findings stay the same."));
  for (const a of after.allowed ?? []) out.push(h("p", { class: "soft" }, `${visible(a.entry)} hides ${count(a.events, "suspicious event")}.`));
  return out;
}

/** withoutLines names evidence lines to the engine; where several records share a line, by their text as well. */
export function withoutLines(lines: Evidence[], report: Report): NonNullable<Settings["without"]> {
  const texts = new Map<string, Set<string>>();
  const at = (e: Evidence) => `${e.source ?? ""}:${e.line}`;
  for (const f of report.findings) for (const e of f.evidence ?? []) texts.set(at(e), (texts.get(at(e)) ?? new Set()).add(e.text));
  return lines.map((e) => ({ ...(e.source ? { source: e.source } : {}), line: e.line, ...((texts.get(at(e))?.size ?? 0) > 1 ? { text: e.text } : {}) }));
}
