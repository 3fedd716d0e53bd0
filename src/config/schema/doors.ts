/** The rooms' listeners and who may come in. */
import { z } from "zod";
import { DEFAULTS } from "../../core/defaults.ts";
import type {
  BackendSettings,
  BrainSettings,
  IntermediarySettings,
  ProxySettings,
  WebSettings,
} from "../../core/settings.ts";
import {
  block,
  choice,
  count,
  duration,
  entry,
  flag,
  host,
  list,
  optionalText,
  port,
  requiredText,
  size,
  text,
  word,
} from "../setting.ts";

const SCOPES = ["integration", "watch", "command", "direct", "admin"] as const;
const SCOPES_SAY = { error: `expected some of ${SCOPES.join(", ")}` };

const i = DEFAULTS.intermediary;
export const intermediary: z.ZodType<IntermediarySettings> = block("Integrations and watchers connect here.", {
  enabled: flag("Open this room.", { fallback: i.enabled, restart: true }),
  host: host(i.host),
  port: port(i.port),
  auth_token: text(
    "The token that integrations and watchers greet with. The default is published: it is good for this machine only.",
    { fallback: i.auth_token, secret: true },
  ),
  tokens: list(
    "More tokens, each with a `name`, what it allows (`scopes`: integration, watch, command, direct, admin) and, if wanted, " +
      "the `names` (with `*`) that may greet with it.",
    {
      of: entry({
        name: requiredText("What the token is called in the log."),
        token: requiredText("The token itself."),
        scopes: z.array(z.enum(SCOPES, SCOPES_SAY), SCOPES_SAY).min(1, SCOPES_SAY),
        names: z.array(word, { error: "expected a list of names" }).default([]),
      }),
      type: "tokens",
    },
  ),
  events_to_neuro: flag("Give free JSON and text of integrations to Neuro as silent context.", {
    fallback: i.events_to_neuro,
  }),
  relay_queue: optionalText(
    "The queue's place as the original relay names it; `queue.path` wins. A pickle file is never read: `x.pkl` means the folder `x`.",
    { restart: true },
  ),
});

const b = DEFAULTS["nakurity-backend"];
export const backend: z.ZodType<BackendSettings> = block("Games connect here; to them the relay is Neuro.", {
  enabled: flag("Open this room.", { fallback: b.enabled, restart: true }),
  host: host(b.host),
  port: port(b.port),
  token: text("What a game has to give as `?token=` or as `/t/<token>` before its path. Empty: nothing is asked.", {
    fallback: b.token,
    secret: true,
  }),
  open: flag("Serve other machines without a token.", { fallback: b.open, restart: true }),
  decider: choice(
    "Who decides about a force when nobody chooses and no upstream is configured.",
    ["first", "random", "none", "openai"],
    { fallback: b.decider },
  ),
  seed: count("The seed of the `random` decider: the same seed makes the same decisions.", { fallback: b.seed }),
  character: text("Who the relay is when it plays Neuro: `neuro` or `evil`.", { fallback: b.character }),
  choice_timeout: duration("How long watchers and integrations may choose before the decider does.", {
    fallback: b.choice_timeout,
  }),
  retries: count("How often a failed force is tried again, as Neuro would.", { fallback: b.retries, most: 100 }),
  openai: block("The endpoint of the `openai` decider.", {
    url: text("The base URL of an OpenAI-compatible API.", { fallback: b.openai.url }),
    model: text("The model to ask.", { fallback: b.openai.model }),
    timeout: duration("How long one answer may take.", { fallback: b.openai.timeout }),
    attempts: count("How often to ask until an answer is valid.", { fallback: b.openai.attempts, least: 1, most: 20 }),
  }),
});

const p = DEFAULTS["intercept-proxy"];
export const proxy: z.ZodType<ProxySettings> = block(
  "A transparent proxy before a real backend, for this machine only, that announces games to watchers.",
  {
    enabled: flag("Open it.", { fallback: p.enabled, restart: true }),
    host: host(p.host),
    port: port(p.port),
    upstream_url: text(
      "The backend behind it; a token for it belongs here. The path that a game asks for is put after it.",
      { fallback: p.upstream_url },
    ),
    match_commands: list("First commands that are announced.", { of: word, type: "commands", fallback: p.match_commands }),
    integration_name: text("The name under which it announces.", { fallback: p.integration_name }),
  },
);

const r = DEFAULTS.brain;
export const brain: z.ZodType<BrainSettings> = block("Sessions of the Brain relay protocol.", {
  enabled: flag("Open this room.", { fallback: r.enabled, restart: true }),
  host: host(r.host),
  port: port(r.port),
  token: text("What a client has to give. Empty: nothing is asked.", { fallback: r.token, secret: true }),
  open: flag("Serve other machines without a token.", { fallback: r.open, restart: true }),
  covenant: choice("What the covenant does about an operation it finds wrong, unless the session says otherwise.", [
    "off",
    "advise",
    "enforce",
  ], { fallback: r.covenant }),
  sessions: count("Sessions at a time.", { fallback: r.sessions, least: 1, most: 1_000_000 }),
  state_bytes: size("The state of one session.", { fallback: r.state_bytes, least: 1_024, most: 1_048_576 }),
  ttl: duration("How long a session that nobody uses is kept; reading it is using it. A session may ask for less.", {
    fallback: r.ttl,
    least: 1_000,
  }),
  persist: flag("Keep sessions over a restart.", { fallback: r.persist, restart: true }),
  artifact: text(
    "The run whose tokenizers and model `Infer` uses; `latest` is the last by name, `built-in` comes with the program.",
    { fallback: r.artifact },
  ),
  artifacts_root: text("The folder of the runs.", { fallback: r.artifacts_root }),
  test_mode: flag("Test mode of the original: prints its `LISTENING` line, and a line of JSON for each prediction.", {
    fallback: r.test_mode,
    restart: true,
  }),
  log_json: flag("Print a line of JSON for each prediction, as the original did.", { fallback: r.log_json }),
});

const w = DEFAULTS.web;
export const web: z.ZodType<WebSettings> = block(
  "The dashboard, the API, health, metrics and uploads over HTTP; the paths of the other rooms as well, on one origin.",
  {
    enabled: flag("Open this room.", { fallback: w.enabled, restart: true }),
    host: host(w.host),
    port: port(w.port),
    token: text("The token of this port. Empty: one is made once and kept in a file that only you can read.", {
      fallback: w.token,
      secret: true,
    }),
    metrics: choice("Who may read `/metrics`: whoever has a token with `watch`, or anybody.", ["token", "open"], {
      fallback: w.metrics,
    }),
    trusted_proxies: list("Addresses of proxies whose `X-Forwarded-*` headers are believed.", {
      of: word,
      type: "addresses",
    }),
    hosts: list("Host names beside loopback by which the page may be reached.", { of: word, type: "host names" }),
    neuro_os_page: flag(
      "Serve the routes that the traffic page of neuro-os asks for. It has no token, so on this machine they ask for none.",
      { fallback: w.neuro_os_page },
    ),
  },
);
