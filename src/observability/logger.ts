/**
 * The log: one line per fact, readable by default, JSON on request, to one place or to a file that is rotated.
 *
 * Formats and files are LogTape's. Whether a line is wanted is decided here, before it is made.
 */
import {
  configure,
  dispose,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type LogRecord,
  type Sink,
  type TextFormatter,
} from "@logtape/logtape";
import { Secrets } from "../core/secrets.ts";
import type { LogLevel, LogSettings } from "../core/settings.ts";
import type { LogRoom } from "./table.ts";
import { oneLine } from "./text.ts";

const RANKS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warning: 2, error: 3 };
const ROOMS: readonly LogRoom[] = ["intermediary", "neuro", "nallely", "brain", "relay"];

export interface Log {
  /** What no line may hold. */
  readonly secrets: Secrets;
  /** True when a line of this level would be written. */
  isOn(room: LogRoom, level: LogLevel): boolean;
  write(line: Line): void;
  /** Levels may change at any time; format and file need a restart. */
  configure(settings: LogSettings): void;
  /** Everything is written when it resolves. */
  close(): Promise<void>;
}

export interface Line {
  readonly room: LogRoom;
  readonly level: LogLevel;
  readonly text: string;
  readonly at: number;
  /** For JSON only. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Opens a file to log to: see `log-file.ts`. */
export type OpenFile = (path: string, formatter: TextFormatter) => Sink;

/** Opens the log. `print` takes whole lines, for when no file is set, or there are no files. */
export async function openLog(
  settings: LogSettings,
  print: (line: string) => void,
  openFile?: OpenFile,
): Promise<Log> {
  const formatter = settings.format === "json"
    ? getJsonLinesFormatter({ categorySeparator: ".", properties: "flatten" })
    : getTextFormatter({ timestamp: "rfc3339", level: "FULL", category: ([, room = ""]) => room, format: textLine });
  const sink: Sink = settings.file === "" || openFile === undefined
    ? (record) => print(formatter(record).trimEnd())
    : openFile(settings.file, formatter);
  await configure({
    reset: true,
    sinks: { main: sink },
    loggers: [
      { category: "relay", sinks: ["main"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "error" },
    ],
  });
  return new TapeLog(settings);
}

const textLine = (values: { timestamp: string | null; level: string; category: string; message: string }): string =>
  `${values.timestamp} ${values.level.padEnd(7)} [${values.category}] ${values.message}`;

class TapeLog implements Log {
  readonly secrets: Secrets = new Secrets();
  readonly #outlets = new Map(ROOMS.map((room) => {
    const category: readonly string[] = ["relay", room];
    return [room, { category, logger: getLogger(category) }];
  }));
  #ranks: ReadonlyMap<LogRoom, number>;

  readonly #json: boolean;

  constructor(settings: LogSettings) {
    this.#json = settings.format === "json";
    this.#ranks = ranksOf(settings);
  }

  isOn(room: LogRoom, level: LogLevel): boolean {
    return RANKS[level] >= (this.#ranks.get(room) ?? 0);
  }

  write({ room, level, text, at, properties = {} }: Line): void {
    if (!this.isOn(room, level)) return;
    const message = oneLine(this.secrets.redact(text));
    const shown = this.#json ? this.#withoutSecrets(properties) : {};
    const outlet = this.#outlets.get(room);
    if (outlet === undefined) return;
    // Why with its category: a record without one is copied, field by field, to be given one.
    const record: LogRecord = {
      category: outlet.category,
      level,
      message: [message],
      rawMessage: message,
      timestamp: at,
      properties: shown,
    };
    outlet.logger.emit(record);
  }

  #withoutSecrets(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, this.#shown(value)]));
  }

  #shown(value: unknown): unknown {
    if (typeof value === "string") return this.secrets.redact(value);
    return Array.isArray(value) ? value.map((inner) => this.#shown(inner)) : value;
  }

  configure(settings: LogSettings): void {
    this.#ranks = ranksOf(settings);
  }

  close(): Promise<void> {
    return dispose();
  }
}

const ranksOf = ({ level, levels }: LogSettings): ReadonlyMap<LogRoom, number> =>
  new Map(ROOMS.map((room) => [room, RANKS[levels[room] ?? level]]));
