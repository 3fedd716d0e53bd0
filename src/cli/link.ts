/** `link`: connects a Neuro, or games, of this machine to a relay elsewhere. */
import { linkNameOf } from "../core/text.ts";
import { Command, InvalidArgumentError, Option } from "commander";
import process from "node:process";
import { isLoopback } from "../core/access.ts";
import type { Millis } from "../core/ids.ts";
import { parseDuration } from "../config/quantities.ts";
import { CliError } from "./cli-error.ts";
import { runtime } from "./runtime.ts";

/** The exit status of a link that another one has replaced. */
const REPLACED = 1;

interface LinkFlags {
  readonly relay: string;
  readonly name: string;
  readonly neuro?: string;
  readonly token?: string;
  readonly listen?: { readonly host: string; readonly port: number };
  readonly gameToken?: string;
  readonly keep: Millis;
  readonly open?: true;
}

export function linkCommand(): Command {
  const relay = new Option("--relay <url>", "the relay's web port, with the path of a named relay: wss://host/r/name");
  return new Command("link")
    .description("connect Neuro, or games, of this machine to a relay elsewhere")
    .addOption(relay.argParser(relayUrl).makeOptionMandatory())
    .option("--neuro <url>", "the Neuro to connect to the relay, such as ws://127.0.0.1:8000", socketUrl)
    .option("--name <name>", "the name of the link: the relay has nakurity-client.url: link:<name>", linkName, "neuro")
    .addOption(new Option("--token <token>", "a token of the relay with the scope link").env("NEURO_RELAY_LINK_TOKEN"))
    .option("--listen <host:port>", "a local port for games that cannot reach the relay themselves", address)
    .addOption(new Option("--game-token <token>", "nakurity-backend.token of the relay").env("NEURO_RELAY_GAME_TOKEN"))
    .option("--keep <duration>", "how long a game stays connected while the relay is away; 0 not at all", duration, 60_000)
    .option("--open", "let --listen accept other machines")
    .addHelpText(
      "after",
      "\nFor games, a local relay with `nakurity-client.url: wss://host/r/name/neuro` does the same and more: it has a dashboard, and\n" +
        "Neuro sees one game. Use `--listen` if you do not want a second relay.",
    )
    .action(run);
}

async function run({ relay, name, neuro, token = "", listen, gameToken = "", keep, open }: LinkFlags): Promise<void> {
  if (neuro === undefined && listen === undefined) throw new CliError(["link: give --neuro, --listen, or both"]);
  if (neuro !== undefined && token === "") {
    throw new CliError([
      "link: --neuro needs --token, or NEURO_RELAY_LINK_TOKEN: a token of the relay with the scope link",
    ]);
  }
  if (listen !== undefined && !isLoopback(listen.host) && open !== true) {
    throw new CliError([
      `link: ${listen.host} is reachable from other machines, and games need no token here; add --open to allow that`,
    ]);
  }
  const { link, untilStopped } = await runtime();
  const running = await link({
    relayUrl: relay,
    ...(neuro !== undefined && { neuro: { name, url: neuro, token } }),
    ...(listen !== undefined && { games: { ...listen, token: gameToken, keepMs: keep } }),
    report: (line) => console.log(line),
    failed(reason) {
      console.error(`link: ${reason}; this one ends`);
      process.exit(REPLACED);
    },
  });
  await untilStopped(running);
  process.exit(0); // Why: whatever a runtime keeps open must not keep the process alive.
}

function socketUrl(text: string): string {
  if (/^wss?:\/\/[^/]/.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError("expected a URL such as ws://127.0.0.1:8000");
}

function relayUrl(text: string): string {
  const url = text.replace(/^http(?=s?:)/, "ws").replace(/\/+$/, "");
  if (/^wss?:\/\/[^/]/.test(url) && URL.canParse(url) && new URL(url).search + new URL(url).hash === "") return url;
  throw new InvalidArgumentError("expected a URL such as wss://relay.example/r/show; give tokens by --token");
}

function linkName(text: string): string {
  if (linkNameOf(`link:${text}`) !== undefined) return text;
  throw new InvalidArgumentError("expected 1 to 64 letters, digits, hyphens and underscores");
}

function address(text: string): { readonly host: string; readonly port: number } {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(text) ?? [];
  if (host !== "" && Number(port) <= 65_535) return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
  throw new InvalidArgumentError("expected an address and a port, such as 127.0.0.1:8000");
}

/** A duration as an argument. */
export function duration(text: string): Millis {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError("expected a duration such as 60s");
}
