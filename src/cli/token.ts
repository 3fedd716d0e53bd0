/** `token`: generates a random token, lists the tokens of the running relay, and issues, rotates or revokes them. */
import { Command, Option } from "commander";
import { text as readText } from "node:stream/consumers";
import { stdin } from "node:process";
import { type ApiClient, ApiError, pathSegment } from "../clients/api-client.ts";
import { ALL_SCOPES } from "../core/access.ts";
import { hashText } from "../core/hash.ts";
import type { Millis } from "../core/ids.ts";
import type { Scope } from "../core/settings.ts";
import { isoTime } from "../core/text.ts";
import type { IssuedTokenView, TokenRequest, TokenView } from "../core/view.ts";
import { CliError } from "./cli-error.ts";
import { newToken } from "../runtimes/tokens/new-token.ts";
import { readConfiguration, type RelayOptions, withRelay } from "./configuration.ts";
import { duration } from "./link.ts";
import { answerOf, requireRelayApi } from "./relay-api.ts";

/** The exit status when nothing was changed or found. */
const NOT_CHANGED = 1;

interface GenerateOptions {
  readonly json?: true;
  readonly hash?: true;
  readonly stdin?: true;
}

export function tokenCommand(): Command {
  return new Command("token")
    .description(
      "generate a random token, for example for intermediary.auth_token; list, issue, rotate and revoke those of the running relay",
    )
    .option("--hash", "print its hash as well, for a setting that does not contain the token: token: {sha256: ...}")
    .option("--stdin", "do not generate a token: read it from standard input, and print its hash")
    .option("--json", "print JSON")
    .action(generate)
    .addCommand(listCommand())
    .addCommand(issueCommand())
    .addCommand(rotateCommand())
    .addCommand(revokeCommand());
}

async function generate({ json, hash, stdin: isGiven }: GenerateOptions): Promise<void> {
  const token = isGiven ? (await readText(stdin)).trim() : newToken();
  if (token === "") throw new CliError(["expected a token on standard input"]);
  const sha256 = hashText(token);
  const printed = { ...(!isGiven && { token }), ...((hash || isGiven) && { sha256 }) };
  if (json) return console.log(JSON.stringify(printed));
  if (!isGiven) console.log(token);
  if (hash || isGiven) console.log(`{sha256: ${sha256}}`);
}

function listCommand(): Command {
  return withRelay(new Command("list"))
    .description("list the tokens of the running relay with their last use")
    .option("--json", "print JSON")
    .action(async ({ json, relay, ...options }: RelayOptions & { readonly json?: true }) => {
      const { settings } = await readConfiguration(options);
      const api = await requireRelayApi(settings, relay);
      const reply = await answerOf<{ readonly items: readonly TokenView[] }>(api, "tokens", "its tokens");
      if (reply === undefined) throw new CliError([`no relay answers at ${api.url}`], NOT_CHANGED);
      if (json) return console.log(JSON.stringify(reply.items, null, 2));
      for (const token of reply.items) console.log(lineOf(token));
    });
}

function lineOf(
  { id, state, scopes, names, expires_at, last_used_at, last_address, hashed, issued_at }: TokenView,
): string {
  return [
    id,
    state,
    ...(scopes.length === 0 ? [] : [`scopes ${scopes.join(", ")}`]),
    ...(names.length === 0 ? [] : [`names ${names.map((name) => JSON.stringify(name)).join(", ")}`]),
    ...(expires_at === null ? [] : [`expires ${isoTime(expires_at)}`]),
    last_used_at === null ? "never used" : `last used ${isoTime(last_used_at)} from ${last_address ?? ""}`,
    ...(issued_at !== null ? [`issued ${isoTime(issued_at)}`] : hashed ? ["hashed"] : []),
  ].join("; ");
}

function revokeCommand(): Command {
  return withRelay(new Command("revoke"))
    .description("revoke a token of the running relay: its connections are closed, and it is refused from now on")
    .argument("<id>", "the id of the token, as `token list` prints it")
    .action(async (id: string, { relay, ...options }: RelayOptions) => {
      await change(options, relay, (api) => api.request("DELETE", `tokens/${pathSegment(id)}`));
      console.log(`revoked ${id}`);
    });
}

interface IssueOptions extends RelayOptions {
  readonly use: TokenRequest["use"];
  readonly scopes?: readonly Scope[];
  readonly names?: readonly string[];
  readonly expires?: Millis;
  readonly json?: true;
}

function issueCommand(): Command {
  const use = new Option("--use <use>", "intermediary: also for the API and the dashboard; neuro: the game port");
  return withRelay(new Command("issue"))
    .description("issue a token at the running relay, and print it: it is shown this once, and valid at once")
    .argument("<name>", "its name in the log and in the audit log")
    .addOption(use.choices(["intermediary", "neuro", "brain"]).default("intermediary"))
    .option("--scopes <scopes>", `separated by commas: ${ALL_SCOPES.join(", ")}`, listOf)
    .option("--names <patterns>", "only for these names, separated by commas, such as lamp*", listOf)
    .option("--expires <duration>", "after which it expires, such as 30d", duration)
    .option("--json", "print JSON")
    .action(async (name: string, { relay, use, scopes, names, expires, json, ...options }: IssueOptions) => {
      const request: TokenRequest = {
        use,
        name,
        ...(scopes !== undefined && { scopes }),
        ...(names !== undefined && { names }),
        ...(expires !== undefined && { expires_at: Date.now() + expires }),
      };
      const issued = await change(options, relay, (api) => api.request<IssuedTokenView>("POST", "tokens", { ...request }));
      console.log(json ? JSON.stringify(issued) : issued.token);
    });
}

const listOf = (text: string): readonly string[] =>
  text.split(",").map((item) => item.trim()).filter((item) => item !== "");

interface RotateOptions extends RelayOptions {
  readonly overlap?: Millis;
  readonly json?: true;
}

function rotateCommand(): Command {
  return withRelay(new Command("rotate"))
    .description("issue a token in place of one of the running relay, and print it: it is shown this once")
    .argument("<id>", "the id of the token, as `token list` prints it")
    .option("--overlap <duration>", "how long the former token stays valid, such as 10m or 0s; default: 1h", duration)
    .option("--json", "print JSON")
    .action(async (id: string, { relay, overlap, json, ...options }: RotateOptions) => {
      const body = overlap === undefined ? {} : { overlap_ms: overlap };
      const issued = await change(
        options,
        relay,
        (api) => api.request<IssuedTokenView>("POST", `tokens/${pathSegment(id)}/rotation`, body),
      );
      console.log(json ? JSON.stringify(issued) : issued.token);
    });
}

/** Changes a token of the running relay. */
async function change<Reply>(
  options: Omit<RelayOptions, "relay">,
  relay: string | undefined,
  run: (api: ApiClient) => Promise<Reply>,
): Promise<Reply> {
  const { settings } = await readConfiguration(options);
  const api = await requireRelayApi(settings, relay);
  return await run(api).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    throw new CliError([error.status === 0 ? `no relay answers at ${api.url}` : error.message], NOT_CHANGED);
  });
}
