/** The listeners, and the access to them. */
import { z } from "zod/mini";
import { ALL_SCOPES } from "../../core/access.ts";
import { BEHAVIOUR_PRESET_NAMES, DEFAULTS } from "../../core/defaults.ts";
import { SESSION_TEXT_MAX } from "../../core/limits.ts";
import type {
  BackendSettings,
  BrainSettings,
  IntermediarySettings,
  ProxySettings,
  WebSettings,
} from "../../core/settings.ts";
import {
  addressItem,
  block,
  choice,
  count,
  duration,
  entry,
  flag,
  host,
  hostItem,
  instant,
  list,
  optionalChoice,
  optionalCount,
  optionalDuration,
  optionalText,
  port,
  requiredText,
  size,
  text,
  textItem,
  textOfForm,
  url,
} from "../setting.ts";

const i = DEFAULTS.intermediary;
const b = DEFAULTS["nakurity-backend"];
const EXPECTED_SCOPES = { error: `expected some of ${ALL_SCOPES.join(", ")}` };

const tls = block(
  "TLS without a proxy: `wss://` and `https://`. The files are read again when they change.",
  i.tls,
  () => ({
    cert: text("The file of the certificate, followed by those of its authorities (PEM). Empty: no TLS.", {
      default: "",
      restart: true,
    }),
    key: text("The file of the certificate's key (PEM).", { default: "", restart: true }),
  }),
);

const tokenNames = () => z._default(z.array(textItem, { error: "expected a list of names" }), []);

const peerTokens = (description: string) =>
  list(description, {
    item: entry(() => ({
      name: requiredText("The name of the token in lists and in the log."),
      token: requiredText("The token itself, or `{sha256: ...}`."),
      names: tokenNames(),
      expires: instant("When it stops to be valid."),
    })),
    type: "tokens",
  });

export const intermediary: z.ZodMiniType<IntermediarySettings> = block<IntermediarySettings>(
  "Integrations and watchers connect here.",
  i,
  () => ({
    enabled: flag("Start this service.", { default: i.enabled, restart: true }),
    host: host(i.host),
    port: port(i.port),
    tls,
    auth_token: text(
      "The token that integrations and watchers greet with. The default is published, so it is accepted from programs of this machine only.",
      { default: i.auth_token, secret: true },
    ),
    tokens: list(
      `More tokens. Each has a \`name\`, a \`token\`, its \`scopes\` (${ALL_SCOPES.join(", ")}) and, optionally, the ` +
        "`names` (with `*` as a wildcard) that can greet with it, and when it `expires` (`2027-01-31`, or `2027-01-31T18:00:00Z`). Every token " +
        "can be given as its hash, `{sha256: ...}`, which `neuro-relay token --hash` prints.",
      {
        item: entry(() => ({
          name: requiredText("The name of the token in the log and in the audit log."),
          token: requiredText("The token itself."),
          scopes: z.array(z.enum(ALL_SCOPES, EXPECTED_SCOPES), EXPECTED_SCOPES).check(z.minLength(1, EXPECTED_SCOPES)),
          names: tokenNames(),
          expires: instant("When it stops to be valid."),
        })),
        type: "tokens",
      },
    ),
    events_to_neuro: flag("Pass free-form JSON and text of integrations to Neuro as silent context.", {
      default: i.events_to_neuro,
    }),
    relay_queue: optionalText(
      "The queue's folder as the original relay names it; `queue.path` takes precedence. A pickle file is never read: `x.pkl` means " +
        "the folder `x`.",
      { restart: true },
    ),
  }),
);

const percent = (what: string): z.ZodMiniType<number | undefined> =>
  optionalCount(`In how many of a hundred decisions ${what}; without it, the preset's value.`, { max: 100 });
/** Longer than any backend waits. */
const BEHAVIOUR_MS_MAX = 3_600_000;

const behaviour = block(
  "How the relay behaves in the place of Neuro. A value that is set here replaces that of the preset.",
  b.behaviour,
  () => ({
    preset: choice(
      "`polite` answers forces and does nothing else. `lively` also acts by itself. `clumsy` makes mistakes, `hostile` many of them. An " +
        "operator can choose another one while the relay runs, also for one integration.",
      BEHAVIOUR_PRESET_NAMES,
      { default: b.behaviour.preset },
    ),
    voluntary: optionalChoice(
      "When it acts without a force: `never`, `on_context` (after a context that is not silent), or `timer` (then, and within each " +
        "`interval`); without it, the preset's value.",
      ["never", "on_context", "timer"],
    ),
    interval: optionalDuration(
      "The mean interval of voluntary actions on a timer for each integration; without it, the preset's value.",
      { min: 100, max: BEHAVIOUR_MS_MAX },
    ),
    answer_delay: optionalDuration("How long it waits before each decision; without it, the preset's value.", {
      max: BEHAVIOUR_MS_MAX,
    }),
    answer_jitter: optionalDuration("Up to this long it waits in addition; without it, the preset's value.", {
      max: BEHAVIOUR_MS_MAX,
    }),
    percent: block("How often it misbehaves.", b.behaviour.percent, () => ({
      no_answer: percent("it does not answer a force"),
      unknown_action: percent("it sends the integration an action that is not registered"),
      missing_data: percent("it sends an action without its data"),
      invalid_data: percent("the data of an action does not fit its schema"),
      repeated_action: percent("it sends an action twice"),
    })),
  }),
);

/** Why not longer: a Durable Object that sleeps longer than a minute forgets what is under way. */
const FAULT_MS_MAX = 30_000;
const faultPercent = (what: string): z.ZodMiniType<number> =>
  count(`At how many of a hundred messages ${what}.`, { default: 0, max: 100 });
const f = b.faults;

const faults = block("A bad network between the games and the relay, to test how a game copes with it.", f, () => ({
  enabled: flag("Have these faults. Refused with an upstream, unless `with_upstream` is true.", {
    default: f.enabled,
    restart: true,
  }),
  with_upstream: flag("Have them although a real Neuro is connected.", { default: f.with_upstream, restart: true }),
  seed: count("The seed of the faults. The same seed and the same messages give the same faults.", {
    default: f.seed,
    restart: true,
  }),
  delay: duration("How long each message takes, in either direction.", { default: f.delay, max: FAULT_MS_MAX }),
  jitter: duration("Up to this long it takes in addition. Messages stay in order.", {
    default: f.jitter,
    max: FAULT_MS_MAX,
  }),
  percent: block("How often the other faults occur.", f.percent, () => ({
    disconnect: faultPercent("the connection is cut, and what is under way is lost"),
    half_open: faultPercent("the connection hangs: nothing passes any more, until one end gives up"),
    drop: faultPercent("the message is lost"),
    duplicate: faultPercent("the message arrives twice"),
  })),
}));

const sessionText = (description: string, options: { readonly default: string }): z.ZodMiniType<string> =>
  textOfForm(description, {
    fits: (given) => given.length <= SESSION_TEXT_MAX,
    expected: `at most ${SESSION_TEXT_MAX} characters`,
  }, options);

export const backend: z.ZodMiniType<BackendSettings> = block<BackendSettings>(
  "Games connect here, as they would to Neuro.",
  b,
  () => ({
    enabled: flag("Start this service.", { default: b.enabled, restart: true }),
    host: host(b.host),
    port: port(b.port),
    tls,
    token: text(
      "The token that a game gives as `?token=` or as `/t/<token>` in front of its path. Empty: no token is needed.",
      {
        default: b.token,
        secret: true,
      },
    ),
    tokens: peerTokens(
      "More tokens. Each has a `name`, a `token` and, optionally, the `names` of the games (with `*` as a wildcard) that it is valid for, and when " +
        "it `expires`.",
    ),
    open: flag("Accept other machines without a token.", { default: b.open, restart: true }),
    decider: choice(
      "What answers a force when nobody chooses and no upstream is configured.",
      ["first", "random", "none", "openai"],
      { default: b.decider },
    ),
    seed: count("The seed of the `random` decider. The same seed gives the same decisions.", { default: b.seed }),
    character: sessionText("The character that the relay plays in standalone mode: `neuro` or `evil`.", {
      default: b.character,
    }),
    display_name: sessionText("The character's name in standalone mode; empty: `Neuro-sama` or `Evil Neuro`.", {
      default: b.display_name,
    }),
    session_id: sessionText("The id of the session in standalone mode; empty: a new one for each session.", {
      default: b.session_id,
    }),
    behaviour,
    faults,
    choice_timeout: duration("How long watchers and integrations can choose before the decider does.", {
      default: b.choice_timeout,
    }),
    retries: count("How often a failed force is retried in standalone mode.", { default: b.retries, max: 100 }),
    openai: block("The endpoint of the `openai` decider.", b.openai, () => ({
      url: text("The base URL of an OpenAI-compatible API.", { default: b.openai.url }),
      model: text("The model.", { default: b.openai.model }),
      timeout: duration("How long one answer may take.", { default: b.openai.timeout }),
      attempts: count("Maximum number of requests until an answer is valid.", {
        default: b.openai.attempts,
        min: 1,
        max: 20,
      }),
      memory_entries: count(
        "How many contexts, forces that are not ephemeral, actions and results the model is told of; the last ones.",
        { default: b.openai.memory_entries, max: 10_000 },
      ),
      memory_bytes: size("Maximum memory for them.", { default: b.openai.memory_bytes, max: 1_048_576 }),
    })),
  }),
);

const p = DEFAULTS["intercept-proxy"];
export const proxy: z.ZodMiniType<ProxySettings> = block<ProxySettings>(
  "A transparent proxy in front of a real backend, for this machine only. It announces games to watchers.",
  p,
  () => ({
    enabled: flag("Start this service.", { default: p.enabled, restart: true }),
    host: host(p.host),
    port: port(p.port),
    tls,
    upstream_url: url(
      "The backend behind the proxy, including its token if it needs one. The path of the game's request is appended.",
      { default: p.upstream_url, example: "ws://127.0.0.1:8000" },
    ),
    match_commands: list("A game whose first command is one of these is announced.", {
      item: textItem,
      type: "commands",
      default: p.match_commands,
    }),
    integration_name: text("The name of the proxy in announcements.", { default: p.integration_name }),
  }),
);

const r = DEFAULTS.brain;
export const brain: z.ZodMiniType<BrainSettings> = block<BrainSettings>(
  "The Brain relay protocol: event-sourced sessions and inference.",
  r,
  () => ({
    enabled: flag("Start this service.", { default: r.enabled, restart: true }),
    host: host(r.host),
    port: port(r.port),
    tls,
    token: text("The token that a client gives as `?token=` or as `/t/<token>`. Empty: no token is needed.", {
      default: r.token,
      secret: true,
    }),
    tokens: peerTokens(
      "More tokens. Each has a `name`, a `token` and, optionally, the `names` of the owners (with `*` as a wildcard) for which it creates " +
        "sessions, and when it `expires`.",
    ),
    open: flag("Accept other machines without a token.", { default: r.open, restart: true }),
    covenant: choice(
      "What happens to an operation that violates the covenant, unless its session says otherwise: nothing, a warning, a rejection.",
      ["off", "advise", "enforce"],
      { default: r.covenant },
    ),
    sessions: count("Maximum number of sessions.", { default: r.sessions, min: 1, max: 1_000_000 }),
    state_bytes: size("Maximum size of the state of one session.", { default: r.state_bytes, min: 1_024, max: 524_288 }),
    log_bytes: size("Maximum size of the stored log of one session.", {
      default: r.log_bytes,
      min: 1_048_576,
      max: 1_099_511_627_776,
    }),
    store_bytes: size("Maximum size of the stored logs of all sessions.", {
      default: r.store_bytes,
      min: 1_048_576,
      max: 1_099_511_627_776,
    }),
    ttl: duration("How long an unused session is kept; reading it counts as use. A session can ask for less.", {
      default: r.ttl,
      min: 1_000,
    }),
    persist: flag("Store sessions, so that they survive a restart.", { default: r.persist, restart: true }),
    artifact: text(
      "The training run whose tokenizers and model `Infer` uses; `latest` is the last one by name (`built-in` if there is none), `built-in` is part of the program.",
      { default: r.artifact },
    ),
    artifacts_root: text("The folder of the training runs.", { default: r.artifacts_root }),
    test_mode: flag(
      "The test mode of the original: prints its `LISTENING` line, and one line of JSON for each prediction.",
      {
        default: r.test_mode,
        restart: true,
      },
    ),
    log_json: flag("Print one line of JSON for each prediction, as the original did.", { default: r.log_json }),
  }),
);

const w = DEFAULTS.web;
export const web: z.ZodMiniType<WebSettings> = block<WebSettings>(
  "HTTP: the dashboard, the API, health, metrics and uploads. The Intermediary, the game port and the Brain can also be reached here, " +
    "at `/intermediary`, `/neuro` and `/brain`.",
  w,
  () => ({
    enabled: flag("Start this listener.", { default: w.enabled, restart: true }),
    host: host(w.host),
    port: port(w.port),
    tls,
    token: text(
      "The token of the dashboard and of the API. Empty: one is generated once and kept in a file that only its owner can read.",
      {
        default: w.token,
        secret: true,
      },
    ),
    metrics: choice("Who can read `/metrics`: tokens with the scope `watch`, or everybody.", ["token", "open"], {
      default: w.metrics,
    }),
    trusted_proxies: list("Addresses of reverse proxies whose `X-Forwarded-*` headers are believed.", {
      item: addressItem,
      type: "addresses",
    }),
    hosts: list("Host names that are accepted in addition to addresses and loopback names.", {
      item: hostItem,
      type: "host names",
    }),
    neuro_os_page: flag(
      "Serve the routes of neuro-os's traffic page. The page has no token, so on this machine these routes need none.",
      { default: w.neuro_os_page },
    ),
  }),
);
