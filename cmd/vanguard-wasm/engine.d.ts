/** What engine.js gives. Everything throws an Error with the engine's message. */

/** Starts the engine. Go's wasm_exec.js has to be loaded first. Also sets globalThis.vanguard. */
export function load(wasm: WebAssembly.Module | BufferSource): Promise<Vanguard>;

export interface Vanguard {
  readonly version: string;
  /** Hash of the rules in force. */
  readonly rules: string;
  /** Judges a few lines of its own, so that the first paste is judged at full speed: one step of some 50 ms. True while there is more to do. Call it once
   *  everything else stands. */
  warm(): boolean;
  /** Begins an analysis. settings: JSON of Settings; "" for none. An unknown key is an error. */
  start(settings?: string): Analysis;
  /** How one line is read, decoded and judged: JSON (an array of explanations), or text. */
  explain(line: string, format?: "json" | "text"): string;
}

/** The command line's flags of the same names; all are optional. */
export interface Settings {
  format?: string;
  tz?: string;
  allow?: string[];
  trustProxy?: string[];
  since?: string;
  until?: string;
  /** Year of dates that name none; this one unless told otherwise. */
  year?: number;
  top?: number;
  /** Lines to judge as if they were not there; text: only the record on that line which begins so. */
  without?: { source?: string; line: number; text?: string }[];
}

export type Format = "json" | "jsonl" | "text" | "md" | "html" | "ocsf" | "csv";

export interface Analysis {
  /**
   * Opens logs, which are judged as one, as by `vanguard scan a b`: merged by the times of their lines, rotated pieces (access.log.1) one after
   * the other. Write to those that are hungry, until all are closed; what is written to others waits in memory.
   */
  logs(all: { name: string; year?: number }[]): Source[];
  /** Opens one log. It is closed before the next one is opened. */
  source(name: string): Source;
  /** What `vanguard scan -o format` prints for the same logs under the same names. redact: passwords, keys and tokens hidden, as with --redact. */
  report(format: Format, redact?: boolean): string;
  /** The report so far, as JSON with its three worst findings, redacted. Whole only once the logs are closed. */
  partial(): string;
  /** Frees the analysis and its logs. */
  cancel(): void;
}

export interface Source {
  /** Takes the next bytes, cut anywhere, and judges them before it returns, as far as the order of several logs allows. A gzip, zstd or bzip2 file is unpacked. */
  write(bytes: Uint8Array): void;
  /** Whether the engine wants more of this log. While a log is open, at least one is hungry; a single log always is. */
  hungry(): boolean;
  /** Ends the log. */
  close(): void;
}
