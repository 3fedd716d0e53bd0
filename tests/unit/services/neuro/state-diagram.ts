/** The diagrams of the service's README, as they follow from the tables of its state machines. */
import { readFileSync } from "node:fs";
import { check } from "../../../harness/check.ts";

export interface Edge {
  readonly from: string;
  /** `[*]` for the end. */
  readonly to: string;
  readonly event: string;
}

/** A Mermaid diagram: an arrow for each pair of states, with all events that lead from one to the other. */
export function stateDiagram(initial: string, edges: readonly Edge[]): string {
  const arrows = new Map<string, Set<string>>();
  for (const { from, to, event } of edges) {
    const arrow = `${from} --> ${to}`;
    const events = arrows.get(arrow) ?? new Set();
    arrows.set(arrow, events.add(event));
  }
  const lines = [...arrows].map(([arrow, events]) => `  ${arrow}: ${[...events].join(", ")}`);
  return ["stateDiagram-v2", `  [*] --> ${initial}`, ...lines].join("\n");
}

/** The README has the diagram under the heading; otherwise the failure shows the correct diagram. */
export function checkDiagram(heading: string, diagram: string): void {
  // Why not in workerd: it has no files, and the README is the same everywhere.
  if (navigator.userAgent === "Cloudflare-Workers") return;
  const readme = readFileSync(new URL("../../../../src/services/neuro/README.md", import.meta.url), "utf8");
  const [, section = ""] = readme.split(`\n## ${heading}\n`);
  const [, committed = "none"] = /```mermaid\n(stateDiagram-v2\n[^`]*?)\n```/.exec(section) ?? [];
  check.equal(committed, diagram);
}
