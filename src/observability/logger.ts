/**
 * The log: one line for each observation, as text or JSON, to one function or to a file that is rotated.
 *
 * LogTape formats lines and writes files. The levels are checked here, before the text of a line is made.
 */
import {
  configure,
  dispose,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type Logger,
  type LogRecord,
  type Sink,
  type TextFormatter,
} from "@logtape/logtape";
import { Secrets } from "../core/secrets.ts";
import type { LogLevel, LogSettings, LogSource } from "../core/settings.ts";
import { oneLine } from "./log-text.ts";

const RANKS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warning: 2, error: 3 };
const CATEGORIES: Readonly<Record<LogSource, readonly string[]>> = {
  intermediary: ["relay", "intermediary"],
  neuro: ["relay", "neuro"],
  nallely: ["relay", "nallely"],
  brain: ["relay", "brain"],
  proxy: ["relay", "proxy"],
  relay: ["relay", "relay"],
};

export interface Log {
  /** Hidden in every line. */
  readonly secrets: Secrets;
  /** True when a line of this level is written. */
  isOn(source: LogSource, level: LogLevel): boolean;
  write(line: LogLine): void;
  /** Levels may change at any time; format and file need a restart. */
  configure(settings: LogSettings): void;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

export interface LogLine {
  readonly source: LogSource;
  readonly level: LogLevel;
  readonly text: string;
  readonly at: number;
  /** For JSON only. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Opens a log file: see `log-file.ts`. */
export type OpenFile = (path: string, formatter: TextFormatter) => Sink;

export interface LogOutputs {
  /** Opens `log.file`, on runtimes with files. */
  readonly openFile?: OpenFile;
  /** `print` writes to a terminal. */
  readonly isTerminal?: boolean;
}

/** Opens the log. `print` takes whole lines, where `log.file` is empty or there is no `openFile`. */
export async function openLog(
  settings: LogSettings,
  print: (line: string) => void,
  { openFile, isTerminal = false }: LogOutputs = {},
): Promise<Log> {
  const isFile = settings.file !== "" && openFile !== undefined;
  const format = isTerminal && !isFile ? coloredLine : textLine;
  const formatter = settings.format === "json"
    ? getJsonLinesFormatter({ categorySeparator: ".", properties: "flatten" })
    : getTextFormatter({ timestamp: "rfc3339", level: "FULL", category: ([, source = ""]) => source, format });
  const sink: Sink = isFile ? openFile(settings.file, formatter) : (record) => print(formatter(record).trimEnd());
  await configure({
    reset: true,
    sinks: { main: sink },
    loggers: [
      { category: "relay", sinks: ["main"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "error" },
    ],
  });
  return new LogTapeLog(settings);
}

interface LineParts {
  readonly timestamp: string | null;
  readonly level: string;
  readonly category: string;
  readonly message: string;
}

const textLine = ({ timestamp, level, category, message }: LineParts): string =>
  `${timestamp} ${level.padEnd(7)} [${category}] ${message}`;

/** Escape codes of a terminal: errors are red, warnings yellow, and details grey. */
const COLORS: Readonly<Record<string, string>> = { ERROR: "31", WARNING: "33", DEBUG: "90" };

function coloredLine(parts: LineParts): string {
  const color = COLORS[parts.level];
  return color === undefined ? textLine(parts) : `\x1b[${color}m${textLine(parts)}\x1b[0m`;
}

class LogTapeLog implements Log {
  readonly secrets: Secrets = new Secrets();
  readonly #loggers: Partial<Record<LogSource, Logger>> = {};
  readonly #isJson: boolean;
  #settings: LogSettings;

  constructor(settings: LogSettings) {
    this.#isJson = settings.format === "json";
    this.#settings = settings;
  }

  isOn(source: LogSource, level: LogLevel): boolean {
    const { levels, level: general } = this.#settings;
    return RANKS[level] >= RANKS[levels[source] ?? general];
  }

  write({ source, level, text, at, properties = {} }: LogLine): void {
    if (!this.isOn(source, level)) return;
    const message = oneLine(this.secrets.redact(text));
    // Why with a category: LogTape copies a record without one, field by field, to add it.
    const record: LogRecord = {
      category: CATEGORIES[source],
      level,
      message: [message],
      rawMessage: message,
      timestamp: at,
      properties: this.#isJson ? this.#withoutSecrets(properties) : {},
    };
    (this.#loggers[source] ??= getLogger(CATEGORIES[source])).emit(record);
  }

  #withoutSecrets(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, this.#hidden(value)]));
  }

  #hidden(value: unknown): unknown {
    if (typeof value === "string") return this.secrets.redact(value);
    return Array.isArray(value) ? value.map((inner) => this.#hidden(inner)) : value;
  }

  configure(settings: LogSettings): void {
    this.#settings = settings;
  }

  close(): Promise<void> {
    return dispose();
  }
}
