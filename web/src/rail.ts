// Beside the findings: who and what is involved (each a filter), what these logs could not show, and ways to take the report along.

import { codeBlock, copyButton, h, rich, save, shellWord, visible } from "./dom";
import { entityButton } from "./findings";
import { type Filter } from "./filter";
import { clockOf, count, grouped, outcomeLook, stampLike, worst, type Finding, type Outcome, type Report, type Settings } from "./report";
import type { Format } from "../../cmd/vanguard-wasm/engine.js";

const ENTITIES = 8; // shown of one kind; more on request

/** The bar that says what the page is filtered by. */
export function filterBar(filter: Filter, report: Report): HTMLElement {
  const text = h("span", { role: "status" });
  const bar = h("div", { class: "filterbar", hidden: true }, text, h("button", { type: "button", class: "quiet", click: () => filter.clear() }, "Clear the filter"));
  const like = report.timeline?.[0]?.start ?? "Z";
  filter.listen((c) => {
    const parts = [c.actor && visible(c.actor), c.target && visible(c.target), c.threat,
      c.from !== undefined && c.to !== undefined && `${clockOf(stampLike(c.from, like))} – ${clockOf(stampLike(c.to, like))}`].filter(Boolean);
    bar.hidden = !parts.length;
    text.textContent = parts.length ? `Showing only ${parts.join(", ")}` : "";
  });
  return bar;
}

interface Entity { key: "actor" | "target"; value: string; type: string; events: number; outcome: Outcome }

export function entities(report: Report, filter: Filter): HTMLElement | undefined {
  const found = new Map<string, Entity & { of: Finding[] }>();
  const note = (key: "actor" | "target", type: string, value: string, f: Finding) => {
    const id = `${key} ${type} ${value}`, had = found.get(id);
    if (had) had.of.push(f);
    else found.set(id, { key, value, type, events: 0, outcome: "blocked", of: [f] });
  };
  for (const f of report.findings) {
    if (f.actor.value) note("actor", f.actor.type ?? "", f.actor.value, f);
    for (const t of f.targets ?? []) note("target", t.type, t.value, f);
  }
  if (!found.size) return undefined;
  const all = [...found.values()].map((e) => ({ ...e, events: e.of.reduce((n, f) => n + f.events, 0), outcome: worst(e.of.map((f) => f.outcome)) ?? "unknown" }));
  const group = (title: string, list: Entity[]) => {
    if (!list.length) return undefined;
    const top = Math.max(...list.map((e) => e.events));
    const items = list.map((e, i) => {
      const look = outcomeLook(e.outcome);
      const meter = h("meter", { min: 0, max: top, value: e.events, "aria-hidden": "true" });
      return h("li", { class: look.tone, hidden: i >= ENTITIES }, entityButton(filter, e.key, e.value, /^(route|account)$/.test(e.type) ? undefined : e.type), meter, h("span", { class: "soft n" }, h("span", { title: look.word, role: "img", "aria-label": look.word }, look.icon), ` ${grouped(e.events)}`));
    });
    const more = list.length > ENTITIES ? h("button", { type: "button", class: "link", click: (ev) => { for (const li of items) li.hidden = false; (ev.target as HTMLElement).remove(); } }, `${grouped(list.length - ENTITIES)} more`) : undefined;
    return h("div", { class: "group" }, h("h3", null, title), h("ul", { class: "entities" }, ...items), more);
  };
  return h("section", { class: "card", "aria-labelledby": "entities-title" }, h("h2", { id: "entities-title" }, "Who and what"),
    h("p", { class: "soft" }, "Choose one to filter everything."),
    group("Sources", all.filter((e) => e.key === "actor")), group("Routes", all.filter((e) => e.key === "target" && e.type === "route")),
    group("Accounts", all.filter((e) => e.key === "target" && e.type === "account")), group("Resources", all.filter((e) => e.key === "target" && e.type !== "route" && e.type !== "account")));
}

const MOST = 0.9; // a smaller share of understood lines tells little of what a log holds

export function notSeen(report: Report, pageProblems: string[]): HTMLElement {
  const { input } = report;
  const problems = [...pageProblems, ...(input.problems ?? [])];
  const formats = (input.formats ?? []).slice(0, 6).map((f) => `${f.name} ${grouped(f.lines)}`).join(", ");
  return h("section", { class: "card", "aria-labelledby": "unseen-title" }, h("h2", { id: "unseen-title" }, "What could not be seen"),
    report.not_seen?.length ? h("ul", null, ...report.not_seen.map((x) => h("li", null, ...rich(x)))) : h("p", { class: "soft" }, report.verdict === "cant-tell" ? "These lines could not be read well enough to say." : input.understood < input.lines * MOST ? "These lines were read as bare text: what they leave out is not known." : "Nothing in particular: these logs say what is needed."),
    ...(report.log_hints ?? []).flatMap((hint) => [h("h3", null, `Log it: ${hint.platform}`), codeBlock(hint.config, `Log format for ${hint.platform}`)]),
    h("h3", null, "What was read"),
    h("p", null, `${grouped(input.understood)} of ${count(input.lines, "line")} understood`, formats ? h("span", { class: "soft" }, ` (${visible(formats)})`) : undefined),
    problems.length ? h("ul", { class: "problems" }, ...problems.map((p) => h("li", null, visible(p)))) : undefined,
    report.allowed?.length ? h("div", null, h("h3", null, "Allowed, so not shown"), h("ul", null, ...report.allowed.map((a) => h("li", null, h("code", null, visible(a.entry)), ` ${count(a.events, "suspicious event")}${a.hides?.length ? `: ${a.hides.slice(0, 6).map((x) => x.title).join(", ")}` : ""}`)))) : undefined,
    input.unread?.length ? h("details", null, h("summary", null, `Lines that no format fitted: ${input.lines - input.understood > input.unread.length ? "the first " : ""}${input.unread.length}`),
      h("ul", null, ...input.unread.map((u) => h("li", null, `line ${grouped(u.line)}: ${visible(u.why)}`)))) : undefined);
}

export interface TakeAlong {
  export(format: Format, redact: boolean): Promise<string>;
  share?: () => void;
}

const FORMATS: { format: Format; word: string; ending: string; type: string }[] = [
  { format: "md", word: "Markdown", ending: "md", type: "text/markdown" },
  { format: "html", word: "HTML", ending: "html", type: "text/html" },
  { format: "json", word: "JSON", ending: "json", type: "application/json" },
  { format: "ocsf", word: "OCSF", ending: "ocsf.json", type: "application/json" },
];

export function takeAlong(report: Report, act: TakeAlong, command: string | undefined): HTMLElement {
  const secrets = report.redacted ?? 0;
  const keep = h("input", { type: "checkbox", id: "keep-secrets" });
  const failed = h("p", { class: "warn", role: "alert" });
  const bytes = async (format: Format) => {
    failed.textContent = "";
    try {
      return await act.export(format, !keep.checked);
    } catch (e) {
      failed.textContent = e instanceof Error ? e.message : String(e);
      throw e;
    }
  };
  return h("section", { class: "card", "aria-labelledby": "take-title" }, h("h2", { id: "take-title" }, "Take it along"),
    act.share ? h("button", { type: "button", class: "main", click: act.share }, "Share an encrypted link…") : undefined,
    h("div", { class: "row" }, ...FORMATS.map((f) => h("button", { type: "button", class: "quiet", "data-export": f.format,
      click: () => void bytes(f.format).then((text) => save(`vanguard-report.${f.ending}`, f.type, text), () => undefined) }, f.word)),
      copyButton("Copy Markdown", () => bytes("md"))),
    secrets ? h("p", { class: "check" }, keep, h("label", { for: "keep-secrets" }, `Leave the ${count(secrets, "secret")} in these files (never in a shared link)`)) : undefined,
    failed,
    command ? h("div", { class: "cli" }, h("h3", null, "The same in the command line"), codeBlock(command, "Command")) : undefined);
}

/** judgedBy says who judged, and lets the classifier be left out, or asked after all. */
export function judgedBy(report: Report, judge: ((noModel: boolean) => void) | undefined): HTMLElement {
  const { version, rules, model, report: hash } = report.engine;
  const short = (x: string) => h("code", null, visible(x.slice(0, 12)));
  return h("section", { class: "card", "aria-labelledby": "judged-title" }, h("h2", { id: "judged-title" }, "Who judged"),
    h("p", null, model ? "Rules, and a classifier as second witness. Where it agrees with a rule, the finding is surer; alone it never says more than “probed”." : "The rules alone, without the classifier."),
    judge ? h("button", { type: "button", class: "quiet", id: "switch-model", click: () => judge(model !== undefined) }, model ? "Judge without the classifier" : "Judge with the classifier") : undefined,
    h("p", { class: "soft fine" }, `Engine ${visible(version)}, rules `, short(rules), model ? ", classifier " : undefined, model ? short(model) : undefined, hash ? ", report " : undefined, hash ? short(hash) : undefined,
      ": equal lines give equal hashes on every machine."));
}

/** The command that gives this report, or undefined if a name holds what no terminal should be given. */
export function command(names: string[], pasted: boolean, settings: Settings): string | undefined {
  const words = ["vanguard", "scan"];
  const flag = (name: string, value: string | undefined) => { if (value) words.push(name, shellWord(value) ?? "\0"); };
  for (const a of settings.allow ?? []) flag("--allow", a);
  flag("--since", settings.since);
  flag("--until", settings.until);
  flag("--tz", settings.tz);
  flag("--format", settings.format);
  if (settings.noModel) words.push("--no-model");
  for (const l of settings.without ?? []) flag("--without", l.source ? `${l.source}:${l.line}` : String(l.line));
  if (pasted) words.push("-");
  else for (const n of names) words.push(shellWord(n) ?? "\0");
  if (words.includes("\0")) return undefined;
  return (pasted ? "pbpaste | " : "") + words.join(" ") + (pasted ? "    # Linux: xclip -o -selection clipboard, or wl-paste" : "");
}
