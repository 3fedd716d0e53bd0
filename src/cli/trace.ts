/** `trace`: the path of one force, action, context or command, or a list of the last ones. `transcript`: what Neuro was sent. */
import { Command, Option } from "commander";
import { ApiError, pathSegment } from "../clients/api-client.ts";
import { printable } from "../core/json.ts";
import {
  TRACE_KINDS,
  TRACE_STATES,
  type TraceStep,
  type TraceView,
  TRANSCRIPT_KINDS,
  type TranscriptView,
} from "../core/traces/trace.ts";
import { isoTime } from "../core/text.ts";
import { type Page, PAGE_LENGTH } from "../core/view.ts";
import { CliError } from "./cli-error.ts";
import { readConfiguration, type RelayOptions, withRelay } from "./configuration.ts";
import { relayApi } from "./relay-api.ts";

/** The exit status when there is no such trace, or no relay answers. */
const NOT_FOUND = 1;

interface TraceOptions extends RelayOptions {
  readonly json?: true;
  readonly all?: true;
  readonly [filter: string]: unknown;
}

export function traceCommand(): Command {
  return withRelay(new Command("trace"))
    .description("show the path of a force, action, context or command of the running relay, or list the last ones")
    .argument("[id]", "its id, as in the log, in events and in the dashboard")
    .option("--integration <id>", "only of this integration")
    .addOption(new Option("--kind <kind>", "only of this kind").choices(TRACE_KINDS))
    .addOption(new Option("--state <state>", "only those that are open, or that have ended").choices(TRACE_STATES))
    .option("--action <name>", "only those with this action")
    .option("--all", `all that are kept, not only the last ${PAGE_LENGTH}`)
    .option("--json", "print JSON; of a list one object per line")
    .action(trace);
}

export function transcriptCommand(): Command {
  return withRelay(new Command("transcript"))
    .description("show what Neuro was sent and what she did, the oldest first")
    .option("--upstream <id>", "only of this upstream")
    .addOption(new Option("--is <kind>", "only of this kind").choices(TRANSCRIPT_KINDS))
    .option("--search <text>", "only what contains this text, in any case")
    .option("--all", `all that is kept, not only the last ${PAGE_LENGTH}`)
    .option("--json", "print JSON, one object per line")
    .action(transcript);
}

async function trace(
  id: string | undefined,
  { integration, kind, state, action, ...options }: TraceOptions,
): Promise<void> {
  if (id === undefined) {
    const traces = await itemsOf<TraceView>("traces", { integration, kind, state, action }, options);
    return print(traces, options.json, summaryOf);
  }
  const view = await request<TraceView>(`traces/${pathSegment(id)}`, options);
  if (options.json) return console.log(JSON.stringify(view, null, 2));
  for (const line of linesOf(view)) console.log(printable(line));
}

async function transcript({ upstream, is, search, ...options }: TraceOptions): Promise<void> {
  print(await itemsOf<TranscriptView>("transcript", { upstream, is, search }, options), options.json, transcriptLine);
}

function print<Item>(items: readonly Item[], isJson: true | undefined, text: (item: Item) => string): void {
  for (const item of items) console.log(isJson ? JSON.stringify(item) : printable(text(item)));
}

/** The items, the oldest first: a page, or with `all` everything. */
async function itemsOf<Item>(
  list: string,
  filter: Readonly<Record<string, unknown>>,
  { all, ...options }: Pick<TraceOptions, "all" | "json"> & RelayOptions,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let after: string | null = null;
  do {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...filter, after })) if (typeof value === "string") query.set(name, value);
    const page: Page<Item> = await request<Page<Item>>(`${list}?${query}`, options);
    items.push(...page.items);
    after = page.next;
  } while (all && after !== null);
  return items.reverse();
}

async function request<Body>(path: string, { relay, ...options }: RelayOptions): Promise<Body> {
  const { settings } = await readConfiguration(options);
  const api = await relayApi(settings, relay);
  if (api === undefined) throw new CliError(["the relay has no web port: web.enabled is false, or web.port is 0"]);
  return await api.request<Body>("GET", path).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    throw new CliError([error.status === 0 ? `no relay answers at ${api.url}` : error.message], NOT_FOUND);
  });
}

/** One trace: a heading, its texts, and a line for each step with the time since the first one. */
function linesOf(view: TraceView): readonly string[] {
  const { upstream, actions, priority, related, neuro_id, texts, received_at, steps } = view;
  const facts: readonly (readonly [string, string | null])[] = [
    ["received", isoTime(received_at)],
    ["upstream", upstream],
    ["actions", actions.length === 0 ? null : actions.join(", ")],
    ["priority", priority],
    ["related", related],
    ["Neuro's id", neuro_id],
    ...Object.entries(texts),
  ];
  return [
    summaryOf(view),
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`  ${name}: ${value}`])),
    ...steps.map((step) => stepLine(step, received_at)),
  ];
}

const stepLine = ({ at, is, who, what }: TraceStep, since: number): string =>
  `  ${`+${at - since} ms`.padStart(12)}  ${[is, who, what].filter((part) => part !== null).join("  ")}`;

const summaryOf = ({ id, kind, names, actions, state, outcome, ms }: TraceView): string =>
  [id, kind, names.join(", "), actions.slice(0, 3).join(", "), outcome ?? state, `${ms} ms`]
    .filter((part) => part !== "").join("  ");

const transcriptLine = ({ at, is, from, actions, text, state, success }: TranscriptView): string =>
  [
    isoTime(at),
    is,
    from,
    success === null ? "" : success ? "success" : "failure",
    actions.join(", "),
    state === null ? "" : `[${state}]`,
    text,
  ].filter((part) => part !== "").join("  ");
