// The page: what is pasted or dropped goes to the engine, what comes back is shown. Nothing is stored, nothing is sent.

import cloudtrail from "../../testdata/logs/cloudtrail-takeover.json";
import founding from "../../testdata/logs/founding.log";
import wordpress from "../../testdata/logs/wordpress-apache.log";
import { askBenign, difference, withoutLines } from "./ask";
import { announce, byId, h, visible } from "./dom";
import { Engine } from "./engine";
import { Filter } from "./filter";
import { findings } from "./findings";
import { doNow, facts, hero, stages, trust, type Circumstances } from "./hero";
import { openShared } from "./open";
import { command, entities, filterBar, judgedBy, notSeen, takeAlong } from "./rail";
import { count, percent, size, verdictLook, type Evidence, type Report, type Settings } from "./report";
import { askShare, type Shareable } from "./share";
import { timeline } from "./timeline";
import type { Judged, LogInput, Progress } from "./worker";

const IN_BOX = 300_000; // characters that the text box holds; more becomes a file, so that the page stays quick
const PREVIEW = 4_000; // characters of a large paste that are shown
const LARGE = 300e6; // bytes past which the command line is worth a hint
const SHAREABLE = 4e6; // bytes of logs that a share may hold
const NAME = 48; // characters of a file's name that are shown
const PATIENCE = 150; // ms before progress is shown
const PASTED = "stdin"; // what the command line calls lines that are piped in

const EXAMPLES: Record<string, { name: string; text: string }> = {
  founding: { name: "founding.log", text: founding },
  wordpress: { name: "wordpress-apache.log", text: wordpress },
  cloudtrail: { name: "cloudtrail-takeover.json", text: cloudtrail },
};

const base = new URL(".", (document.currentScript as HTMLScriptElement).src);
const box = byId<HTMLTextAreaElement>("lines");
let engine: Engine | undefined;
let inputs: LogInput[] = [];
let shown: { report: Report; judged: Judged; settings: Settings } | undefined;
let original: Report | undefined; // of the lines as they were given: what "judge again" is compared with
let example: string | undefined; // name of the example that stands in the box, until somebody changes it
let run = 0;
let underway: { cancel: () => void } | undefined; // what is being judged: of no use any more once something else is asked

boot().catch((e: unknown) => fatal(e instanceof Error ? e.message : String(e)));

async function boot(): Promise<void> {
  const shared = /\/s\/([\w-]{1,64})$/.exec(location.pathname);
  if (shared?.[1]) return openShared(shared[1], base, showShared);
  wire();
  const lock = byId("lock"), bar = byId<HTMLProgressElement>("loading");
  engine = await Engine.load(base, (done, total) => {
    if (total) { bar.max = total; bar.value = done; }
    byId("lock-text").textContent = `loading the engine, ${size(done)}`;
  });
  engine.onFatal = fatal;
  bar.hidden = true;
  lock.dataset["state"] = "locked";
  byId("lock-text").textContent = "offline";
  byId("lock-more").textContent = ": this page can no longer connect";
  for (const el of document.querySelectorAll<HTMLButtonElement | HTMLTextAreaElement>("[data-needs-engine]")) el.disabled = false;
  document.documentElement.dataset["ready"] = "true";
  if (document.activeElement === document.body) box.focus({ preventScroll: true });
  if (box.value.trim()) void judgeBox(); // typed, or kept by the browser, while the engine came
}

function fatal(why: string): void {
  byId("lock").dataset["state"] = "failed";
  byId("lock-text").textContent = "the engine does not run";
  byId("error").replaceChildren(h("p", { class: "card warn", role: "alert" }, h("strong", null, "The engine does not run here. "), visible(why), " Load the page again; a browser from 2023 or later is needed. The command line needs no browser: ", h("code", null, "vanguard scan access.log")));
}

// ---- input ----

function wire(): void {
  box.addEventListener("input", () => { example = undefined; });
  box.addEventListener("paste", (e) => {
    const text = e.clipboardData?.getData("text/plain") ?? "";
    if (text.length > IN_BOX) {
      e.preventDefault();
      take([{ name: PASTED, blob: new Blob([text]) }], text.slice(0, PREVIEW));
    } else if (box.readOnly && text.trim()) {
      // The front of a file stands there, which cannot be written in: what is pasted comes in its place.
      e.preventDefault();
      take([{ name: PASTED, blob: new Blob([text]) }]);
      box.value = text;
    } else if (text.trim()) {
      // Into an empty box, what is pasted is what will stand there: no need to wait until the browser has laid it out.
      if (box.value === "" && engine) {
        example = undefined;
        take([{ name: PASTED, blob: new Blob([text]) }]);
      } else setTimeout(() => void judgeBox());
    }
  });
  box.addEventListener("keydown", (e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); void judgeBox(); } });
  byId("judge").addEventListener("click", () => void judgeBox());
  const picker = byId<HTMLInputElement>("picker");
  byId("choose").addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => { void takeFiles([...picker.files ?? []]); picker.value = ""; });
  for (const b of document.querySelectorAll<HTMLButtonElement>("[data-example]")) {
    b.addEventListener("click", () => {
      const chosen = EXAMPLES[b.dataset["example"] ?? ""];
      if (!chosen) return;
      take([{ name: chosen.name, blob: new Blob([chosen.text]) }]);
      box.value = chosen.text;
      example = chosen.name;
    });
  }
  byId("again").addEventListener("click", () => {
    run++;
    underway?.cancel();
    shown = undefined;
    inputs = [];
    example = undefined;
    box.value = "";
    box.readOnly = false;
    show("input");
    box.focus();
  });
  byId("change").addEventListener("click", () => {
    show("input");
    if (box.readOnly) byId("hint").textContent = `${box.value ? "The beginning of" : "Not shown:"} ${what()}. Paste or drop others to judge those.`;
    box.focus();
  });
  // Dropping works anywhere on the page.
  let over = 0;
  const veil = byId("veil");
  const holdsFiles = (e: DragEvent) => e.dataTransfer?.types.includes("Files") || e.dataTransfer?.types.includes("text/plain");
  addEventListener("dragenter", (e) => { if (holdsFiles(e)) { e.preventDefault(); over++; veil.hidden = false; } });
  addEventListener("dragover", (e) => { if (holdsFiles(e)) e.preventDefault(); });
  addEventListener("dragleave", () => { if (--over <= 0) { over = 0; veil.hidden = true; } });
  addEventListener("drop", (e) => {
    e.preventDefault();
    over = 0;
    veil.hidden = true;
    const files = [...e.dataTransfer?.files ?? []], text = e.dataTransfer?.getData("text/plain") ?? "";
    if (files.length) void takeFiles(files);
    else if (text.trim()) { take([{ name: PASTED, blob: new Blob([text]) }], text.slice(0, PREVIEW)); }
  });
}

async function judgeBox(): Promise<void> {
  const text = box.value;
  if (box.readOnly && inputs.length) return judge({});
  if (!text.trim()) {
    byId("hint").textContent = "Paste some lines first, or try an example.";
    box.focus();
    return;
  }
  inputs = [{ name: example ?? PASTED, blob: new Blob([text]) }];
  await judge({});
}

async function takeFiles(files: File[]): Promise<void> {
  if (!files.length) return;
  const head = await files[0]!.slice(0, PREVIEW).text().catch(() => "");
  take(files.map((f) => ({ name: f.name, blob: f })), head);
}

/** take starts with new logs. preview: what the text box shows of logs that are too large for it. */
function take(logs: LogInput[], preview?: string): void {
  if (!engine) {
    byId("hint").textContent = "One moment: the engine is not here yet.";
    return;
  }
  inputs = logs;
  example = undefined;
  box.readOnly = preview !== undefined;
  if (preview !== undefined) box.value = /\0|\ufffd/.test(preview) ? "" : preview;
  void judge({});
}

// ---- judging ----

type Panel = "input" | "reading" | "result";
function show(...panels: Panel[]): void {
  for (const p of ["input", "reading", "result"] as const) byId(p).hidden = !panels.includes(p);
  byId("intro").hidden = !panels.includes("input");
  byId("bar").hidden = panels.includes("input");
  byId("change").hidden = !panels.includes("result") || !engine; // what is shared has no lines to show
  byId("hint").textContent = "";
  byId("error").replaceChildren();
}

const settingsOf = (): Settings => {
  const out: Settings = {};
  const format = byId<HTMLInputElement>("format").value.trim(), tz = byId<HTMLInputElement>("tz").value.trim();
  if (format) out.format = format;
  if (tz) out.tz = tz;
  if (!byId<HTMLInputElement>("classifier").checked) out.noModel = true;
  return out;
};

/** judge reads the inputs with settings on top of what the options say. */
async function judge(settings: Settings): Promise<void> {
  if (!engine) return;
  const mine = ++run;
  const all: Settings = { ...settingsOf(), ...settings };
  const total = inputs.reduce((n, i) => n + i.blob.size, 0);
  underway?.cancel();
  const asked = underway = engine.judge(inputs, all, true, (p) => { if (mine === run) reading(p); });
  byId("stop").onclick = () => asked.cancel();
  byId("reading-name").textContent = `Reading ${what()}, ${size(total)}`;
  byId("large").hidden = total < LARGE;
  byId<HTMLProgressElement>("progress").value = 0;
  byId("rate").textContent = "";
  const patience = setTimeout(() => { if (mine === run) { byId("sofar").replaceChildren(); show("reading"); } }, PATIENCE);
  try {
    const judged = await asked.done;
    if (mine !== run) return;
    const report = JSON.parse(judged.json) as Report;
    if (!settings.allow && !settings.without && !settings.since && settings.noModel === undefined) original = report;
    shown = { report, judged, settings };
    clearTimeout(patience);
    showResult();
  } catch (e) {
    clearTimeout(patience);
    if (mine !== run) return;
    show("input");
    byId("error").replaceChildren(h("p", { class: "card warn", role: "alert" }, visible(e instanceof Error ? e.message : String(e))));
  } finally {
    if (underway === asked) underway = undefined;
  }
}

/** what is judged, in a few words. */
const what = (): string => inputs.length !== 1 ? count(inputs.length, "log") : inputs[0]!.name === PASTED ? "the pasted lines" : shortName(inputs[0]!.name);

/** shortName is a file's name, its middle left out where it is long. */
function shortName(name: string): string {
  const text = visible(name);
  return text.length <= NAME ? text : `${text.slice(0, NAME / 2)}…${text.slice(-NAME / 4)}`;
}

function reading(p: Progress): void {
  const bar = byId<HTMLProgressElement>("progress");
  bar.max = Math.max(p.total, 1);
  bar.value = p.done;
  const rate = p.done / 1e3 / Math.max(p.ms, 1), left = (p.total - p.done) / 1e6 / rate;
  byId("rate").textContent = `${size(p.done)} of ${size(p.total)}, ${Math.max(rate, 0.1).toFixed(rate < 10 ? 1 : 0)} MB/s${left > 2 ? `, ${Math.round(left)} s left` : ""}`;
  if (p.json) {
    const report = JSON.parse(p.json) as Report;
    const c: Circumstances = { ms: p.ms, bytes: p.done, sofar: true, notes: [] };
    byId("sofar").replaceChildren(hero(report, c), facts(report));
  }
}

function showResult(): void {
  if (!shown) return;
  const { report, judged, settings } = shown;
  const names = inputs.map((i) => i.name), pasted = names.length === 1 && names[0] === PASTED;
  byId("bar-name").textContent = `${pasted ? "pasted lines" : names.slice(0, 3).map(shortName).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
  byId("bar-size").textContent = `${count(report.input.lines, "line")}, ${size(judged.bytes)}${report.input.formats?.[0] ? `, ${report.input.formats[0].name}` : ""}`;
  render(report, { ms: judged.ms, bytes: judged.bytes, stopped: judged.stopped, notes: judged.problems.map(visible) }, judged.problems, settings, command(names, pasted, { ...settingsOf(), ...settings }));
  byId("sofar").replaceChildren();
  show("result");
  const h1 = byId("verdict");
  h1.focus({ preventScroll: true });
  scrollTo({ top: 0 });
  announce(`${verdictLook(report.verdict).word}, ${percent(report.confidence)} sure. ${visible(report.summary)}`);
}

/** render builds the whole report. Without an engine (a shared report) it can be read and filtered, not judged again. */
function render(report: Report, c: Circumstances, problems: string[], settings: Settings, cli: string | undefined): void {
  const filter = new Filter();
  const can = engine && !c.shared ? engine : undefined;
  const act = can && {
    remove: (lines: Evidence[]) => void judge({ ...settings, without: [...settings.without ?? [], ...withoutLines(lines, report)] }),
    benign: (f: Report["findings"][number]) => askBenign(f, report,
      async (entry) => JSON.parse((await can.judge(inputs, { ...settingsOf(), ...settings, allow: [...settings.allow ?? [], entry] }, false).done).json) as Report,
      (entry) => void judge({ ...settings, allow: [...settings.allow ?? [], entry] })),
    explain: (line: string) => can.explain(line),
  };
  const rest = (el: (HTMLElement | undefined)[]) => el.filter((x): x is HTMLElement => x !== undefined);
  const top = h("div", { class: "top" }, ...rest([whatIf(report, settings), hero(report, c), h("div", { class: "then" }, ...rest([facts(report), doNow(report), unreadable(report, can !== undefined)])), trust(report, c)]));
  byId("result").replaceChildren(top);
  // The answer is on the screen before the proof is built.
  requestAnimationFrame(() => setTimeout(() => {
    if (top.isConnected) top.after(columns());
  }));
  const columns = () =>
    h("div", { class: "columns" },
      h("div", { class: "main-column" }, ...rest([stages(report), timeline(report, filter, (since, until) => act && void judge({ ...settings, since, until })), filterBar(filter, report), findings(report, filter, act)])),
      h("div", { class: "rail" }, ...rest([entities(report, filter), notSeen(report, problems), judgedBy(report, can && ((noModel) => void judge({ ...settings, noModel }))),
        takeAlong(report, { export: async (format, redact) => can ? can.export(format, redact) : JSON.stringify(report, null, 2) + "\n", ...(can ? { share: () => askShare(report, base, { report: () => can.export("json", true), ...loggable() }) } : {}) }, cli)])));
}

/** loggable offers the logs for sharing, where they are small enough. */
function loggable(): Pick<Shareable, "logs"> {
  const bytes = inputs.reduce((n, i) => n + i.blob.size, 0), logs = [...inputs];
  return bytes > SHAREABLE ? {} : { logs: { bytes, read: () => Promise.all(logs.map(async (l) => ({ name: l.name, text: await l.blob.text() }))) } };
}

/** unreadable asks for the format where none fitted. */
function unreadable(report: Report, can: boolean): HTMLElement | undefined {
  if (!can || report.verdict !== "cant-tell" || report.input.lines === 0) return undefined;
  const field = h("input", { type: "text", id: "name-format", list: "formats", autocomplete: "off", spellcheck: "false", value: byId<HTMLInputElement>("format").value });
  return h("form", { class: "card name-format", submit: (e) => { e.preventDefault(); byId<HTMLInputElement>("format").value = field.value; void judge({}); } },
    h("label", { for: "name-format" }, "Which format is it? A name, or the log_format or LogFormat string of your server"), h("div", { class: "row" }, field, h("button", { type: "submit", class: "main" }, "Judge again")));
}

/** whatIf says how this judgement differs from that of the lines as they were given. */
function whatIf(report: Report, settings: Settings): HTMLElement | undefined {
  const parts: string[] = [];
  if (settings.without?.length) parts.push(`without ${count(settings.without.length, "line")}`);
  if (settings.allow?.length) parts.push(`allowing ${settings.allow.map(visible).join(", ")}`);
  if (settings.since) parts.push(`from ${settings.since}${settings.until ? ` to ${settings.until}` : ""} only`);
  if (settings.noModel !== undefined) parts.push(settings.noModel ? "by the rules alone" : "with the classifier as well");
  if (!parts.length || !original) return undefined;
  return h("section", { class: "card whatif", "aria-label": "What changed" }, h("div", null, h("p", null, h("strong", null, `Judged again, ${parts.join(", ")}`)), ...difference(original, report)),
    h("button", { type: "button", class: "quiet", click: () => void judge({}) }, settings.without || settings.since ? "Back to all lines" : "Back to the first verdict"));
}

function showShared(report: Report, note: string): void {
  byId("bar-name").textContent = "A shared report";
  byId("bar-size").textContent = note;
  render(report, { ms: 0, bytes: 0, shared: true, notes: [] }, [], {}, undefined);
  show("result");
  byId("verdict").focus({ preventScroll: true });
  announce(`${verdictLook(report.verdict).word}. ${visible(report.summary)}`);
}
