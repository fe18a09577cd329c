// What must be known in two seconds: the verdict, how sure it is and what speaks against it, who, what, when, the one thing to do now.

import { copyButton, h, rich, s, visible } from "./dom";
import { clockOf, count, duration, grouped, millis, outcomeLook, percent, period, size, STAGES, verdictLook, worst, type Chain, type Finding, type Outcome, type Report } from "./report";

export interface Circumstances {
  ms: number;
  bytes: number;
  sofar?: boolean; // still reading
  stopped?: boolean;
  shared?: boolean; // opened from a link: nothing was analysed here
  notes: string[]; // what changed the judgement: lines left out, entries allowed
}

/** Sentences end where a full stop is followed by a capital; the first is the one to read. */
function firstSentence(text: string): [string, string] {
  const m = /^(.{20,}?[.!?]) (?=[A-Z“"‘])/.exec(text);
  return m?.[1] ? [m[1], text.slice(m[1].length + 1)] : [text, ""];
}

export function hero(r: Report, c: Circumstances): HTMLElement {
  const look = verdictLook(r.verdict);
  const [lead, rest] = firstSentence(visible(r.summary));
  const meter = s("svg", { class: "meter", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "track", width: 100, height: 6 }), s("rect", { class: "fill", width: r.confidence * 100, height: 6 }));
  return h("section", { class: `hero ${look.tone}`, "aria-labelledby": "verdict" },
    h("div", { class: "answer" },
      h("div", { class: "sign", "aria-hidden": "true" }, look.icon),
      h("div", null,
        h("h1", { id: "verdict", tabindex: -1 }, look.word, c.sofar ? h("small", null, " so far") : undefined),
        h("p", { class: "summary" }, h("strong", null, lead), rest ? " " + rest : undefined))),
    h("div", { class: "sure" },
      r.verdict === "cant-tell" ? h("p", { class: "soft" }, "No verdict is better than a guess.") : h("p", null, h("strong", { class: "odds" }, percent(r.confidence)), h("span", null, " sure"), meter),
      r.doubt ? h("p", { class: "doubt" }, h("strong", null, "Biggest doubt: "), ...rich(r.doubt)) : undefined));
}

/** who, what and when of the worst finding; or what was read, where there is none. */
export function facts(r: Report): HTMLElement {
  const f = r.findings.find((x) => !x.noise) ?? r.findings[0];
  const fact = (name: string, value: (Node | string)[], note?: string) =>
    h("div", null, h("dt", null, name), h("dd", null, ...value, note ? h("small", null, note) : undefined));
  if (!f) {
    const formats = (r.input.formats ?? []).slice(0, 3).map((x) => x.name).join(", ");
    return h("dl", { class: "facts" },
      fact("Read", [`${count(r.input.lines, "line")}`], formats ? ` as ${formats}` : undefined),
      fact("Understood", [r.input.lines ? `${grouped(r.input.understood)} of ${grouped(r.input.lines)}` : "nothing"]),
      fact("When", [period(r.input.first_seen, r.input.last_seen) || "no time in these lines"]));
  }
  const seconds = (millis(f.last_seen) - millis(f.first_seen)) / 1000;
  const targets = (f.targets ?? []).slice(0, 2).map((t) => visible(t.value)).join(", ");
  return h("dl", { class: "facts" },
    fact("Who", [visible(f.actor.value ?? "not named in these lines")], f.actor.notes?.length ? " " + visible(f.actor.notes.join("; ")) : f.actor.type && f.actor.type !== "ip" ? ` ${f.actor.type}` : undefined),
    fact("What", [f.title], ` ${count(f.events, "event")}${targets ? ` on ${targets}` : ""}`),
    fact("When", [period(f.first_seen, f.last_seen) || "no time in these lines"], seconds > 0 ? ` ${duration(seconds)}` : undefined));
}

export function doNow(r: Report): HTMLElement | undefined {
  const [first, ...next] = r.do_now ?? [];
  if (!first) return undefined;
  return h("section", { class: "card now", "aria-labelledby": "now-title" },
    h("header", null, h("h2", { id: "now-title" }, "Do now"), copyButton("Copy all steps", () => (r.do_now ?? []).map((t, i) => `${i + 1}. ${visible(t)}`).join("\n"))),
    h("p", { class: "first" }, ...rich(first)),
    next.length ? h("details", { class: "next", open: matchMedia("(min-width: 46rem)").matches }, h("summary", null, `Then ${count(next.length, "step")}`), h("ol", { start: 2 }, ...next.map((t) => h("li", null, ...rich(t))))) : undefined);
}

const lockIcon = () => s("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, s("rect", { x: 3, y: 7, width: 10, height: 7, rx: 1.5 }), s("path", { d: "M5.5 7V5a2.5 2.5 0 0 1 5 0v2" }));

/** The trust strip: how long, how much left this device, how much was understood. */
export function trust(r: Report, c: Circumstances): HTMLElement {
  const share = r.input.lines ? r.input.understood / r.input.lines : 1;
  const understood = `${grouped(r.input.understood)}/${grouped(r.input.lines)} lines understood`;
  const rate = c.bytes > 4e6 && c.ms > 0 ? ` (${size(c.bytes)}, ${Math.round(c.bytes / 1e3 / c.ms)} MB/s)` : "";
  return h("p", { class: "trust" }, lockIcon(),
    c.shared ? h("span", null, "decrypted on this device") : h("span", null, `analysed on this device in ${grouped(Math.max(1, Math.round(c.ms)))} ms${rate}`),
    c.shared ? undefined : h("span", null, "0 bytes sent"),
    h("span", { class: share < 0.9 ? "warn" : "" }, understood),
    r.redacted ? h("span", { class: "warn" }, `${count(r.redacted, "secret")} hidden`) : undefined,
    c.stopped ? h("span", { class: "warn" }, "stopped: the rest was not read") : undefined,
    ...c.notes.map((n) => h("span", { class: "warn" }, n)));
}

/** Did each step work? One step per stage of an attack, with the gravest outcome of the findings that reached it. */
export function stages(r: Report): HTMLElement | undefined {
  const findings = r.findings.filter((f) => !f.noise);
  if (!findings.length) return undefined;
  const step = (id: string, word: string, gloss: string) => {
    const here = findings.filter((f: Finding) => f.stages?.includes(id));
    const outcome: Outcome | undefined = worst(here.map((f) => f.outcome));
    const look = outcome ? outcomeLook(outcome) : undefined;
    const told = look ? { succeeded: "worked", "likely-succeeded": "probably worked", blocked: "refused or failed", unknown: "can’t be told" }[outcome as Outcome] : "not seen";
    const events = here.reduce((n, f) => n + f.events, 0);
    return h("li", { class: look?.tone ?? "none" }, h("span", { class: "step-icon", "aria-hidden": "true" }, look?.icon ?? "·"),
      h("span", { class: "step" }, h("strong", null, word), h("small", null, gloss)), h("span", { class: "told" }, told), here.length ? h("small", { class: "soft" }, count(events, "event")) : undefined);
  };
  return h("section", { class: "card", "aria-labelledby": "stages-title" }, h("h2", { id: "stages-title" }, "Did each step work?"),
    h("ol", { class: "stages" }, ...STAGES.map((st) => step(st.id, st.word, st.gloss))), ...(r.chains ?? []).slice(0, STORIES).map(story));
}

const STORIES = 3; // chains told; STEPS of each
const STEPS = 12;

/** story tells a chain in the order of time; each step leads to its finding. */
function story(c: Chain): HTMLElement {
  const who = c.who.slice(0, 4).map((w) => visible(w.type === "ip" ? w.value : `${w.type} ${w.value}`)).join(", ");
  const logs = (c.sources?.length ?? 0) > 1 ? `, told by ${count(c.sources!.length, "log")}` : "";
  return h("div", { class: "story" }, h("h3", null, `One story: ${who}`, h("span", { class: "soft" }, ` ${period(c.first_seen, c.last_seen)}${logs}`)),
    h("ol", null, ...c.steps.slice(0, STEPS).map((step) => {
      const look = outcomeLook(step.outcome);
      return h("li", { class: look.tone }, h("time", null, step.time ? clockOf(step.time) : ""), h("span", { class: "step-icon", role: "img", "aria-label": look.word, title: look.word }, look.icon),
        h("button", { type: "button", class: "link", click: () => goTo(step.finding) }, step.title), h("span", { class: "soft" }, look.word.toLowerCase()));
    }), c.steps.length > STEPS ? h("li", null, `and ${c.steps.length - STEPS} more steps`) : undefined));
}

/** goTo opens a finding and puts the focus on it. */
function goTo(id: string): void {
  const head = document.querySelector<HTMLElement>(`.finding[data-id="${CSS.escape(id)}"] .head`);
  if (!head) return;
  head.closest("details")?.setAttribute("open", "");
  if (head.getAttribute("aria-expanded") === "false") head.click();
  head.focus({ preventScroll: true });
  head.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
