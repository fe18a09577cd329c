// The timeline: all events upwards, suspect ones downwards, each on its own scale. A stretch is chosen by dragging, or with the two
// sliders below it (which is also how the keyboard does it); choosing filters the page.

import { h, s } from "./dom";
import type { Criteria, Filter } from "./filter";
import { passes } from "./filter";
import { clockOf, count, dateOf, duration, grouped, millis, period, stampLike, zoneOf, type Bucket, type Report } from "./report";

const W = 1000, UP = 84, DOWN = 44, LEAST = 2.5;

export function timeline(report: Report, filter: Filter, judgeOnly: (since: string, until: string) => void): HTMLElement | undefined {
  const buckets = report.timeline ?? [];
  const first = buckets[0], last = buckets[buckets.length - 1];
  if (!first || !last || buckets.length < 2) return undefined;
  const step = first.seconds * 1000;
  const t0 = millis(first.start), n = Math.round((millis(last.start) - t0) / step) + 1;
  const cells: (Bucket | undefined)[] = new Array<Bucket | undefined>(n).fill(undefined);
  for (const b of buckets) cells[Math.round((millis(b.start) - t0) / step)] = b;
  const most = Math.max(...buckets.map((b) => b.events)), mostBad = Math.max(1, ...buckets.map((b) => b.suspect ?? 0));
  const suspects = buckets.reduce((sum, b) => sum + (b.suspect ?? 0), 0);
  const x = (cell: number) => cell / n * W;

  const bars = s("g"), height = UP + 6 + DOWN;
  cells.forEach((b, i) => {
    if (!b) return;
    const w = Math.max(W / n * 0.82, 1.5), bad = b.suspect ?? 0;
    const up = Math.max(b.events / most * UP, LEAST);
    bars.append(s("rect", { class: "all", x: x(i), y: UP - up, width: w, height: up }));
    if (bad) bars.append(s("rect", { class: "suspect", x: x(i), y: UP + 6, width: w, height: Math.max(bad / mostBad * DOWN, LEAST) }));
  });
  const shades = [s("rect", { class: "shade", y: 0, height, x: 0, width: 0 }), s("rect", { class: "shade", y: 0, height, x: W, width: 0 })] as const;
  const marks = s("g");
  const marked = h("span", { hidden: true }); // what the marks are, while there are any
  const chart = s("svg", { class: "chart", viewBox: `0 0 ${W} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    s("rect", { class: "base", x: 0, y: UP + 2.5, width: W, height: 1 }), bars, marks, ...shades);

  // The two ends, in cells: from is the first chosen, to the first no longer chosen.
  let from = 0, to = n;
  const when = (cell: number) => stampLike(t0 + cell * step, first.start);
  const slider = (label: string) => h("input", { type: "range", min: 0, max: n, step: 1, "aria-label": label });
  const left = slider("Show from"), right = slider("Show until");
  const chosen = h("output", { class: "chosen" });
  const reset = h("button", { type: "button", class: "quiet", hidden: true, click: () => filter.span(undefined, undefined) }, "Show all times");
  const only = h("button", { type: "button", class: "quiet", hidden: true, click: () => judgeOnly(when(from), when(to)) }, "Judge only this time");

  const choose = () => from === 0 && to === n ? filter.span(undefined, undefined) : filter.span(t0 + from * step, t0 + to * step);
  left.addEventListener("input", () => { from = Math.min(Number(left.value), to - 1); choose(); });
  right.addEventListener("input", () => { to = Math.max(Number(right.value), from + 1); choose(); });

  const brush = h("div", { class: "brush" });
  brush.append(chart);
  const cellAt = (e: PointerEvent) => {
    const box = brush.getBoundingClientRect();
    return Math.min(n, Math.max(0, (e.clientX - box.left) / box.width * n));
  };
  brush.addEventListener("pointerdown", (e) => {
    if (e.button !== 0) return;
    const at = cellAt(e);
    brush.setPointerCapture(e.pointerId);
    const move = (m: PointerEvent) => {
      const here = cellAt(m);
      from = Math.floor(Math.min(at, here));
      to = Math.max(Math.ceil(Math.max(at, here)), from + 1);
      choose();
    };
    const end = (u: PointerEvent) => {
      brush.removeEventListener("pointermove", move);
      if (Math.abs(cellAt(u) - at) < 0.3) { // a click: the bar under it
        from = Math.min(Math.floor(at), n - 1);
        to = from + 1;
        choose();
      }
    };
    brush.addEventListener("pointermove", move);
    brush.addEventListener("pointerup", end, { once: true });
  });
  brush.addEventListener("dblclick", () => filter.span(undefined, undefined));

  filter.listen((c: Criteria) => {
    from = c.from === undefined ? 0 : Math.round((c.from - t0) / step);
    to = c.to === undefined ? n : Math.round((c.to - t0) / step);
    const all = c.from === undefined;
    left.value = String(from);
    right.value = String(to);
    left.setAttribute("aria-valuetext", when(from));
    right.setAttribute("aria-valuetext", when(to));
    shades[0].setAttribute("width", String(x(from)));
    shades[1].setAttribute("x", String(x(to)));
    shades[1].setAttribute("width", String(W - x(to)));
    let events = 0, bad = 0;
    for (let i = from; i < to; i++) { events += cells[i]?.events ?? 0; bad += cells[i]?.suspect ?? 0; }
    chosen.textContent = all ? `${grouped(events)} events, ${grouped(bad)} suspect` : `${period(when(from), when(to))}: ${grouped(events)} events, ${grouped(bad)} suspect`;
    reset.hidden = only.hidden = all;
    // Where the evidence of the chosen entity stands.
    const entity = c.actor !== undefined || c.target !== undefined || c.threat !== undefined;
    chart.classList.toggle("faded", entity);
    const of = entity ? report.findings.filter((f) => passes(f, c)) : [];
    const cellOf = (stamp: string) => Math.min(n - 1, Math.max(0, Math.floor((millis(stamp) - t0) / step)));
    const at = new Set<number>(), bands: SVGElement[] = [];
    let lines = 0;
    for (const f of of) {
      lines += f.evidence?.length ?? 0;
      for (const e of f.evidence ?? []) if (e.time) at.add(cellOf(e.time));
      if (!f.first_seen) continue;
      const begin = x(cellOf(f.first_seen)), end = x(cellOf(f.last_seen ?? f.first_seen) + 1);
      bands.push(s("rect", { class: "band", x: begin, y: UP + 1, width: end - begin, height: 4 }));
    }
    marks.replaceChildren(...bands, ...[...at].map((cell) => s("rect", { class: "mark", x: x(cell), y: 0, width: Math.max(W / n * 0.82, 3), height })));
    // A report keeps the times of the lines that it quotes, and of a finding's first and last event: that, and no more, is what is marked.
    marked.hidden = !entity;
    const total = of.reduce((sum, f) => sum + f.events, 0);
    marked.replaceChildren(h("i", { class: "key chosen-key" }), `${count(total, "event")} in ${count(of.length, "finding")} of your choice: the line runs from first to last, ${count(lines, "quoted line")} marked`);
  });

  const rows = buckets.map((b) => h("tr", null, h("th", { scope: "row" }, `${dateOf(b.start)} ${clockOf(b.start)}`), h("td", null, grouped(b.events)), h("td", null, grouped(b.suspect ?? 0))));
  const zone = zoneOf(first.start) || "as in the log";
  return h("section", { class: "card timeline", "aria-labelledby": "timeline-title" },
    h("header", null, h("h2", { id: "timeline-title" }, "When"), h("p", { class: "legend" },
      h("span", null, h("i", { class: "key all" }), `all events, up to ${grouped(most)}`), h("span", null, h("i", { class: "key suspect" }), suspects ? `suspect, up to ${grouped(mostBad)}` : "suspect: none"),
      h("span", { class: "soft" }, `a bar is ${duration(first.seconds)}`), marked)),
    brush,
    h("div", { class: "axis" }, h("span", null, `${dateOf(first.start)} ${clockOf(first.start)}`), h("span", null, `${clockOf(last.start)} (${zone})`)),
    h("div", { class: "sliders" }, left, right),
    h("div", { class: "row" }, chosen, reset, only),
    h("details", null, h("summary", null, "The same as a table"), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Events by time" }, h("table", { class: "numbers" },
      h("caption", { class: "offscreen" }, `Events by time, ${count(buckets.length, "bar")}`),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "from"), h("th", { scope: "col" }, "events"), h("th", { scope: "col" }, "suspect"))), h("tbody", null, ...rows)))));
}
