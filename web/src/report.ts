// The report as the engine writes it, "vanguard.report/1" (report.go). An absent key means that the thing is not known.

export type Verdict = "compromise-likely" | "under-attack" | "probed" | "looks-normal" | "cant-tell";
export type Outcome = "succeeded" | "likely-succeeded" | "blocked" | "unknown";

export interface Report {
  schema: string;
  verdict: Verdict;
  confidence: number;
  summary: string;
  doubt?: string;
  do_now?: string[];
  input: Input;
  findings: Finding[];
  chains?: Chain[];
  noise?: { events: number; actors: number; summary: string };
  allowed?: Allowed[];
  not_seen?: string[];
  log_hints?: LogHint[];
  timeline?: Bucket[];
  redacted?: number;
  engine: { version: string; rules: string; model?: string; report?: string };
}

export interface Input {
  lines: number;
  understood: number;
  bytes?: number;
  formats?: { name: string; lines: number }[];
  first_seen?: string;
  last_seen?: string;
  unread?: { source?: string; line: number; why: string }[];
  problems?: string[];
}

export interface Finding {
  id: string;
  threat: string;
  title: string;
  severity: string;
  outcome: Outcome;
  outcome_evidence?: string;
  missing?: string;
  log_hint?: string;
  noise?: boolean;
  classifier?: boolean; // only the classifier suspects it, no rule
  confidence: number;
  doubts?: string[];
  actor: { type?: string; value?: string; notes?: string[] };
  targets?: Target[];
  stages?: string[];
  attack?: string[];
  owasp?: string[];
  cwe?: number[];
  cve?: string[];
  first_seen?: string;
  last_seen?: string;
  events: number;
  evidence?: Evidence[];
  advice?: string[];
}

/** One story: what one principal did, step after step. */
export interface Chain {
  id: string;
  who: Target[];
  stages: string[];
  sources?: string[];
  outcome: Outcome;
  first_seen?: string;
  last_seen?: string;
  steps: { finding: string; title: string; stages?: string[]; outcome: Outcome; time?: string; sources?: string[] }[];
}

/** What one allow entry hid. */
export interface Allowed {
  entry: string;
  events: number;
  hides?: { threat: string; title: string; actor: { type?: string; value?: string }; severity: string; outcome: Outcome; events: number }[];
}

export interface Target { type: string; value: string }

export interface Evidence {
  source?: string;
  line: number;
  time?: string;
  text: string;
  spans?: [number, number][]; // byte offsets into the UTF-8 of text
  by?: string[];
  why?: string;
}

export interface Bucket { start: string; seconds: number; events: number; suspect?: number }
export interface LogHint { platform: string; config: string }

/** What judges differently: the page's side of the command line's flags. */
export interface Settings {
  allow?: string[];
  since?: string;
  until?: string;
  tz?: string;
  format?: string;
  noModel?: boolean; // judge by the rules alone
  without?: { source?: string; line: number; text?: string }[];
}

export type Tone = "bad" | "warn" | "calm" | "muted";
export interface Look { icon: string; word: string; tone: Tone }

/** How a verdict is shown: always an icon and a word, never colour alone. */
export function verdictLook(v: Verdict): Look {
  switch (v) {
    case "compromise-likely": return { icon: "▲", word: "Compromise likely", tone: "bad" };
    case "under-attack": return { icon: "◆", word: "Under attack", tone: "warn" };
    case "probed": return { icon: "○", word: "Probed", tone: "calm" };
    case "looks-normal": return { icon: "✓", word: "Looks normal", tone: "calm" };
    case "cant-tell": return { icon: "?", word: "Can’t tell", tone: "muted" };
  }
}

export function outcomeLook(o: string): Look {
  switch (o) {
    case "succeeded": return { icon: "▲", word: "Succeeded", tone: "bad" };
    case "likely-succeeded": return { icon: "△", word: "Likely succeeded", tone: "bad" };
    case "blocked": return { icon: "■", word: "Blocked", tone: "calm" };
    default: return { icon: "●", word: "Outcome unknown", tone: "warn" };
  }
}

/** SCHEMA is the only form of a report that this page reads. */
export const SCHEMA = "vanguard.report/1";

/** A probability as people read it, without ever claiming certainty. */
export const percent = (p: number): string => `${Math.min(Math.max(Math.floor(p * 100 + 0.5), 0), 99)}%`;

export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

export const count = (n: number, noun: string): string => `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;

export function size(bytes: number): string {
  if (bytes < 1000) return count(bytes, "byte");
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Milliseconds since 1970; a time without a zone is taken as it stands. NaN for none. */
export const millis = (stamp: string | undefined): number =>
  stamp ? Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(stamp) ? stamp : stamp + "Z") : NaN;

/** The stamp of a moment, in the manner (with or without a zone) of another stamp. */
export function stampLike(ms: number, like: string): string {
  const s = new Date(ms).toISOString().replace(/\.\d+Z$/, "");
  return like.endsWith("Z") ? s + "Z" : s;
}

function splitStamp(s: string): { date: string; clock: string; zone: string } {
  const [date = "", rest = ""] = s.split("T");
  const at = rest.search(/[Z+-]/);
  let clock = at < 0 ? rest : rest.slice(0, at);
  const zone = at < 0 ? "" : rest.slice(at);
  clock = clock.split(".")[0] ?? "";
  return { date, clock, zone: zone === "Z" ? "UTC" : zone };
}

export const clockOf = (stamp: string): string => splitStamp(stamp).clock;
export const dateOf = (stamp: string): string => splitStamp(stamp).date;
export const zoneOf = (stamp: string): string => splitStamp(stamp).zone;

/** Two stamps as one period; the second without its date if that is the first's, the zone once. */
export function period(first: string | undefined, last: string | undefined): string {
  if (!first) return "";
  const a = splitStamp(first), z = a.zone ? " " + a.zone : "";
  if (!last || last === first) return `${a.date} ${a.clock}${z}`;
  const b = splitStamp(last);
  return a.date === b.date ? `${a.date} ${a.clock} – ${b.clock}${z}` : `${a.date} ${a.clock} – ${b.date} ${b.clock}${z}`;
}

/** How long a stretch is, in words. */
export function duration(seconds: number): string {
  if (seconds < 120) return count(Math.round(seconds), "second");
  if (seconds < 7200) return count(Math.round(seconds / 60), "minute");
  if (seconds < 172800) return count(Math.round(seconds / 3600), "hour");
  return count(Math.round(seconds / 86400), "day");
}

/** The stages of an attack, in order, with the words that people use for them. */
export const STAGES: { id: string; word: string; gloss: string }[] = [
  { id: "recon", word: "Looked around", gloss: "recon" },
  { id: "exploit", word: "Attacked", gloss: "exploit" },
  { id: "foothold", word: "Got in", gloss: "foothold" },
  { id: "action", word: "Acted", gloss: "action" },
  { id: "exfiltration", word: "Took data", gloss: "exfiltration" },
];

const OUTCOMES: Outcome[] = ["blocked", "unknown", "likely-succeeded", "succeeded"];
/** The gravest of several outcomes. */
export function worst(outcomes: Outcome[]): Outcome | undefined {
  let at = -1;
  for (const o of outcomes) at = Math.max(at, OUTCOMES.indexOf(o));
  return OUTCOMES[at];
}
