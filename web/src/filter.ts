// One filter for the whole page: an entity, a threat, a stretch of time. Every part of the report listens to it.

import { millis, type Evidence, type Finding } from "./report";

export interface Criteria {
  actor?: string;
  target?: string;
  threat?: string;
  from?: number; // ms since 1970
  to?: number;
}

export class Filter {
  #now: Criteria = {};
  readonly #listeners: ((c: Criteria) => void)[] = [];

  get criteria(): Criteria { return this.#now; }
  get active(): boolean { return Object.keys(this.#now).length > 0; }

  listen(f: (c: Criteria) => void): void {
    this.#listeners.push(f);
    f(this.#now);
  }

  set(c: Criteria): void {
    this.#now = c;
    for (const f of this.#listeners) f(c);
  }

  /** toggle sets one criterion, or clears it if it has this value already. */
  toggle(key: "actor" | "target" | "threat", value: string): void {
    const next = { ...this.#now };
    if (next[key] === value) delete next[key];
    else next[key] = value;
    this.set(next);
  }

  span(from: number | undefined, to: number | undefined): void {
    const { from: _, to: __, ...rest } = this.#now;
    this.set(from === undefined || to === undefined ? rest : { ...rest, from, to });
  }

  clear(): void { this.set({}); }
}

/** A finding passes if it is about the entity and happened at least partly within the time. */
export function passes(f: Finding, c: Criteria): boolean {
  if (c.actor !== undefined && f.actor.value !== c.actor) return false;
  if (c.threat !== undefined && f.threat !== c.threat) return false;
  if (c.target !== undefined && !f.targets?.some((t) => t.value === c.target)) return false;
  if (c.from !== undefined && c.to !== undefined && f.first_seen) {
    const first = millis(f.first_seen), last = millis(f.last_seen ?? f.first_seen);
    if (last < c.from || first >= c.to) return false;
  }
  return true;
}

/** An evidence line passes if it lies within the time; one without a time always does. */
export function linePasses(e: Evidence, c: Criteria): boolean {
  if (c.from === undefined || c.to === undefined || !e.time) return true;
  const t = millis(e.time);
  return t >= c.from && t < c.to;
}
