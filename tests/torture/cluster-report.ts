/** What is counted while owners are taken away, what must not happen, and the table of all of it. */
import { loadavg } from "node:os";
import type { DeliveryCounts } from "./delivery-log.ts";
import { violationsIn } from "./delivery-log.ts";

export interface ClusterFigures {
  readonly fault: string;
  readonly rounds: number;
  /** From each fault to the next connection to Neuro; none if there must not be one. */
  readonly redialMs: readonly number[];
  /** From each fault until the actions of all games were registered there. */
  readonly registeredMs: readonly number[];
  readonly deliveries: DeliveryCounts;
  readonly unanswered: number;
  readonly gamesClosed: number;
  readonly watchersClosed: number;
  /** Connections to Neuro while none was to be lost. */
  readonly reconnects: number;
  /** Frames that reached Neuro from an owner after the first frame of its successor. */
  readonly framesOfFormerOwners: number;
  /** The load of the machine in each round. */
  readonly loads: readonly number[];
  readonly violations: readonly string[];
}

/** What a fault may cost. */
export interface FaultLimits {
  readonly redial?: { readonly medianMs: number; readonly longestMs: number };
  /** A peer that waits for a reply is closed, because nobody knows whether its last frame was handled. */
  readonly mayCloseWatchers: boolean;
}

export const loadNow = (): number => loadavg()[0] ?? NaN;

/** What must not happen, whatever the load of the machine. */
export function violationsOf(figures: ClusterFigures, { mayCloseWatchers }: FaultLimits): readonly string[] {
  const { fault, unanswered, gamesClosed, watchersClosed, reconnects } = figures;
  return [
    ...violationsIn(figures.deliveries),
    ...(unanswered > 0 ? [`${unanswered} commands were not answered`] : []),
    ...(gamesClosed > 0 ? [`${gamesClosed} games at other nodes were closed`] : []),
    ...(watchersClosed > 0 && !mayCloseWatchers ? [`${watchersClosed} watchers were closed`] : []),
    ...(reconnects > 0 ? [`Neuro was dialed ${reconnects} times`] : []),
    ...figures.violations,
  ].map((violation) => `${fault}: ${violation}`);
}

/** Times beyond the limits. On a machine that is busy with other work they are no fault. */
export function lateOf({ fault, redialMs }: ClusterFigures, { redial }: FaultLimits): readonly string[] {
  if (redial === undefined) return [];
  const { medianMs, longestMs } = redial;
  const late = redialMs.filter((ms) => ms > longestMs).length;
  const middle = median(redialMs);
  return [
    ...(middle > medianMs ? [`a median of ${seconds(middle)}, instead of ${seconds(medianMs)}`] : []),
    ...(late > 0
      ? [
        `at most ${seconds(Math.max(...redialMs))}, ${late} of ${redialMs.length} times after more than ${
          seconds(longestMs)
        }`,
      ]
      : []),
  ].map((text) => `${fault}: Neuro was dialed after ${text}`);
}

/** `1 s` or `1.25 s`. */
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

export const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN;

const spread = (values: readonly number[]): string =>
  values.length === 0 ? "not dialed" : `${(median(values) / 1_000).toFixed(2)}, ${seconds(Math.max(...values))}`;

const COLUMNS: readonly (readonly [title: string, cell: (figures: ClusterFigures) => string | number])[] = [
  ["fault", ({ fault }) => fault],
  ["rounds", ({ rounds }) => rounds],
  ["Neuro dialed (median, longest)", ({ redialMs }) => spread(redialMs)],
  ["actions registered (median, longest)", ({ registeredMs }) => spread(registeredMs)],
  ["queued", ({ deliveries }) => deliveries.queued],
  ["lost", ({ deliveries }) => deliveries.lost],
  ["unanswered", ({ unanswered }) => unanswered],
  ["games closed", ({ gamesClosed }) => gamesClosed],
  ["watchers closed", ({ watchersClosed }) => watchersClosed],
  ["frames of former owners", ({ framesOfFormerOwners }) => framesOfFormerOwners],
  ["load", ({ loads }) => `${Math.min(...loads).toFixed(0)} to ${Math.max(...loads).toFixed(0)}`],
];

const row = (cells: readonly unknown[]): string => `| ${cells.join(" | ")} |`;

export const rowOf = (figures: ClusterFigures): string => row(COLUMNS.map(([, cell]) => cell(figures)));

export const tableOf = (all: readonly ClusterFigures[]): string =>
  [row(COLUMNS.map(([title]) => title)), row(COLUMNS.map(() => "---")), ...all.map(rowOf)].join("\n");
