/** `token`: generates a random token, lists the tokens of the running relay, and revokes them. */
import { Command } from "commander";
import { text as readText } from "node:stream/consumers";
import { stdin } from "node:process";
import { ApiError, pathSegment } from "../clients/api-client.ts";
import { hashText } from "../core/hash.ts";
import { isoTime } from "../core/text.ts";
import type { TokenView } from "../core/view.ts";
import { CliError } from "./cli-error.ts";
import { readConfiguration, type RelayOptions, withRelay } from "./configuration.ts";
import { answerOf, requireRelayApi } from "./relay-api.ts";

const TOKEN_BYTES = 32;
/** The exit status when nothing was revoked. */
const NOT_REVOKED = 1;

interface GenerateOptions {
  readonly json?: true;
  readonly hash?: true;
  readonly stdin?: true;
}

export function tokenCommand(): Command {
  return new Command("token")
    .description(
      "generate a random token, for example for intermediary.auth_token; list and revoke those of the running relay",
    )
    .option("--hash", "print its hash as well, for a setting that does not contain the token: token: {sha256: ...}")
    .option("--stdin", "do not generate a token: read it from standard input, and print its hash")
    .option("--json", "print JSON")
    .action(generate)
    .addCommand(listCommand())
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
      if (reply === undefined) throw new CliError([`no relay answers at ${api.url}`], NOT_REVOKED);
      if (json) return console.log(JSON.stringify(reply.items, null, 2));
      for (const token of reply.items) console.log(lineOf(token));
    });
}

function lineOf({ id, state, scopes, names, expires_at, last_used_at, last_address, hashed }: TokenView): string {
  return [
    id,
    state,
    ...(scopes.length === 0 ? [] : [`scopes ${scopes.join(", ")}`]),
    ...(names.length === 0 ? [] : [`names ${names.map((name) => JSON.stringify(name)).join(", ")}`]),
    ...(expires_at === null ? [] : [`expires ${isoTime(expires_at)}`]),
    last_used_at === null ? "never used" : `last used ${isoTime(last_used_at)} from ${last_address ?? ""}`,
    ...(hashed ? ["hashed"] : []),
  ].join("; ");
}

function revokeCommand(): Command {
  return withRelay(new Command("revoke"))
    .description("revoke a token of the running relay: its connections are closed, and it is refused from now on")
    .argument("<id>", "the id of the token, as `token list` prints it")
    .action(async (id: string, { relay, ...options }: RelayOptions) => {
      const { settings } = await readConfiguration(options);
      const api = await requireRelayApi(settings, relay);
      await api.request("DELETE", `tokens/${pathSegment(id)}`).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        throw new CliError([error.status === 0 ? `no relay answers at ${api.url}` : error.message], NOT_REVOKED);
      });
      console.log(`revoked ${id}`);
    });
}

/** 256 random bits in characters that are safe in URLs, YAML and shells. Secret scanners recognise the token by its prefix. */
export function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return `nr_${btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}
