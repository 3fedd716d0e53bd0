/** Neuro: where she is, how integrations share her, and how each integration is treated. */
import { z } from "zod/mini";
import { linkNameOf } from "../../core/text.ts";
import { BEHAVIOUR_PRESET_NAMES, DEFAULTS, UPSTREAM_DEFAULTS } from "../../core/defaults.ts";
import type { ActionSettings, NallelySettings, PolicySettings, UpstreamSettings } from "../../core/settings.ts";
import {
  block,
  choice,
  count,
  duration,
  entry,
  flag,
  itemOfForm,
  list,
  optionalChoice,
  optionalCount,
  optionalDuration,
  optionalFlag,
  optionalList,
  optionalPort,
  optionalText,
  optionalTextOfForm,
  real,
  requiredText,
  size,
  text,
  textItem,
  textOfForm,
  url,
} from "../setting.ts";

const PROFILES = ["neuro", "randy", "tony", "jippity", "gary", "neuro_api"] as const;

/** A relay waits for a link as long as it takes. Why not longer: the link is dialed again, which costs nothing. */
const LINK_DIAL_MS = 86_400_000;

const u = UPSTREAM_DEFAULTS;
const upstreamFields = entry(() => ({
  id: text("The id of this upstream, if there are several: `neuro`, `evil`.", { default: u.id, restart: true }),
  url: optionalText(
    "The backend's URL: `ws://127.0.0.1:8000`. The original relay's `host` and `port` work as well. With `link:<name>` the relay does not " +
      "connect to a backend; it waits for `neuro-relay link` to connect one.",
  ),
  host: optionalText("The host of `url`; 127.0.0.1 if only `port` is given."),
  port: optionalPort("The port of `url`; 8000 if only `host` is given."),
  name: text("The game name under which Neuro sees the relay.", { default: u.name, restart: true }),
  profile: choice("The kind of backend. Each has its own deadlines and quirks.", PROFILES, { default: u.profile }),
  action_deadline: optionalDuration("How long this backend waits for an action's result; without it, the profile's value."),
  character: optionalText("The expected character. If another one answers, a warning is logged."),
  context_rate: count("Contexts per second that are passed on; 0 disables this limit.", {
    default: u.context_rate,
    max: 10_000,
  }),
  context_burst: count("Contexts that can be passed on at once after a pause.", {
    default: u.context_burst,
    min: 1,
    max: 100_000,
  }),
  backoff: block("The delay before the next connection attempt.", u.backoff, () => ({
    base: duration("Upper bound of the first delay. It doubles with each attempt.", { default: u.backoff.base, min: 1 }),
    cap: duration("Upper bound of every delay.", { default: u.backoff.cap, min: 1 }),
  })),
  dial_timeout: duration("How long one connection attempt may take. Has no effect for `link:<name>`.", {
    default: u.dial_timeout,
    min: 1,
  }),
  frame_bytes: size(
    "Maximum size of a frame that is sent to the backend. Several backends close a connection at 1 MiB.",
    { default: u.frame_bytes, min: 16_384, max: 16_777_216 },
  ),
  relays: list(
    "Patterns, with `*`, of the names of the relays that connect to this upstream; by default all of them. A relay without an upstream " +
      "plays Neuro itself.",
    { item: textItem, type: "patterns", default: u.relays },
  ),
}));

/** One upstream, whose address is a URL, or a host and a port. */
export const upstream: z.ZodMiniType<UpstreamSettings> = z.pipe(
  upstreamFields,
  z.transform((given, { issues }): UpstreamSettings => {
    const { host, port, url, ...rest } = given;
    const hasHostOrPort = host !== undefined || port !== undefined;
    if (url !== undefined && hasHostOrPort) {
      issues.push({ code: "custom", path: ["url"], message: "expected either url, or host and port", input: given });
    }
    const address = url ?? (hasHostOrPort ? `ws://${bracketed(host ?? "127.0.0.1")}:${port ?? 8_000}` : "");
    const isLink = linkNameOf(address) !== undefined;
    if (!isLink && !isSocketUrl(address)) {
      const message = address.startsWith("link:")
        ? "expected link:<name>; a name has 1 to 64 letters, digits, hyphens and underscores"
        : "expected a URL such as ws://127.0.0.1:8000, or link:<name>";
      issues.push({ code: "custom", path: ["url"], message, input: given });
    }
    return { ...rest, url: address, ...(isLink && { dial_timeout: LINK_DIAL_MS }) };
  }),
);

/** An IPv6 address needs brackets in a URL. */
const bracketed = (host: string): string => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);

function isSocketUrl(text: string): boolean {
  return /^wss?:\/\/[^/]/.test(text) && URL.canParse(text);
}

const a = DEFAULTS.actions;
export const actions: z.ZodMiniType<ActionSettings> = block<ActionSettings>(
  "How the actions of many integrations become those of one game.",
  a,
  () => ({
    naming: choice(
      "`shared`: identical actions of several integrations become one, and only different ones with the same name get a prefix. " +
        "`prefixed`: all get a prefix.",
      ["shared", "prefixed"],
      { default: a.naming, restart: true },
    ),
    broadcast: choice("Who receives a shared action: all its owners, or the first.", ["all", "first-owner"], {
      default: a.broadcast,
    }),
    grace: duration("How long an integration can be disconnected before its actions are unregistered.", {
      default: a.grace,
    }),
    attribution: flag("Put the name of the integration, as `[Game]`, in front of contexts and queries.", {
      default: a.attribution,
    }),
    force_timeout: duration(
      "Time after which an unanswered force is sent once more if others wait. After the same time again it is queued last.",
      {
        default: a.force_timeout,
        min: 1_000,
      },
    ),
    retry_timeout: duration(
      "Time in which Neuro can try again after a failed action. Then a waiting force is sent instead.",
      {
        default: a.retry_timeout,
        min: 1_000,
      },
    ),
    settle: duration("The pause between a force and the next one.", { default: a.settle }),
    await_names: duration("How long a force waits for actions that are not registered yet.", { default: a.await_names }),
    restart_window: duration("Actions that a game registers again within this time after `startup` stay registered.", {
      default: a.restart_window,
    }),
    parked: duration("How long the actions of a disconnected game are remembered.", { default: a.parked, min: 1_000 }),
    shutdown_timeout: duration(
      "An integration that an operator asks to shut down is disconnected if it does not answer in this time; 0: it is not.",
      { default: a.shutdown_timeout, max: 600_000 },
    ),
    ageing: duration("A waiting force rises by one priority each time this passes.", { default: a.ageing, min: 100 }),
    broadcast_backend: flag(
      "Ignore unknown actions instead of answering them, because other games share the same backend.",
      {
        default: a.broadcast_backend,
      },
    ),
  }),
);

/** Patterns in one list of a policy, and characters of one. */
const PATTERNS_MAX = 256;
const PATTERN_LENGTH_MAX = 256;
const TEMPLATE_LENGTH_MAX = 1_024;

const pattern = itemOfForm({
  fits: (given) => given !== "" && given.length <= PATTERN_LENGTH_MAX,
  expected: `a pattern with 1 to ${PATTERN_LENGTH_MAX} characters`,
});

const keyPattern = itemOfForm({
  fits: (given) => given !== "" && given.length <= PATTERN_LENGTH_MAX && given.split("{key}").length <= 2,
  expected: `a pattern with at most one {key}, and 1 to ${PATTERN_LENGTH_MAX} characters`,
});

const patterns = (description: string): z.ZodMiniType<readonly string[] | undefined> =>
  optionalList(description, { item: pattern, type: "patterns", lengthMax: PATTERNS_MAX });

const policyFields = entry(() => ({
  match: requiredText("The names of the integrations, with `*` as a wildcard. Required."),
  upstream: optionalText("The id of their upstream. Default: the first one."),
  admission: optionalChoice(
    "`approval`: an integration whose name is unknown needs an operator's approval: until then Neuro sees nothing of it. Known are those that the " +
      "relay remembers (`parked`) or that were approved. Default: `open`.",
    ["open", "approval"],
  ),
  on_duplicate: optionalChoice("What happens when a second game with the same name connects. Default: `replace`.", [
    "replace",
    "suffix",
    "reject",
  ]),
  priority_max: optionalChoice("The highest priority of their forces. Default: `critical`.", [
    "low",
    "medium",
    "high",
    "critical",
  ]),
  critical_preempts: optionalFlag(
    "Their forces with the priority `critical` take the place of the one that Neuro has, which waits again. An action that is with its " +
      "integration is completed first, and a force that has waited for so long that it is as urgent keeps its place. Default: false.",
  ),
  shutdown: optionalFlag("Forward shutdown requests of Neuro. Default: false."),
  shutdown_action: optionalFlag(
    "Give Neuro an action, `shut_down_<id>`, that asks them to shut down, or takes that back. It belongs to the integration `Neuro Relay`, for which " +
      "approval can be required. Default: false.",
  ),
  speech_finished: optionalFlag("Notify them when Neuro has finished speaking. Default: false."),
  allow: patterns(
    'The names of the actions that they can register, with `*` as a wildcard. Others are refused, and reported. Default: `["*"]`.',
  ),
  deny: patterns("Actions that are refused although `allow` has them. Default: none."),
  hide: patterns("Actions that they can register, but that Neuro does not see. An operator can use them. Default: none."),
  actions_max: optionalCount(
    "Maximum number of registered actions of one integration. Default: `limits.actions_per_integration`, which is also the maximum. " +
      "Registered actions stay registered when it is lowered.",
    { max: 10_000 },
  ),
  contexts_per_minute: optionalCount(
    "Contexts of one integration within a minute. Further ones are dropped, and reported. Default: no limit.",
    { min: 1, max: 100_000 },
  ),
  context_length: optionalCount(
    "Characters of a context, without the template. A longer one is shortened, and reported. Default: no limit.",
    { min: 16, max: 1_000_000 },
  ),
  context_template: optionalTextOfForm(
    "The text of a context for Neuro, with `{message}` once and with `{game}`, the name of the integration. Default: " +
      "`[{game}] {message}`, or `{message}` without `actions.attribution`.",
    {
      fits: (given) => given.length <= TEMPLATE_LENGTH_MAX && given.split("{message}").length === 2,
      expected: `a text with {message} once, and at most ${TEMPLATE_LENGTH_MAX} characters`,
    },
  ),
  coalesce: optionalList(
    "Patterns, with `*` as a wildcard, of contexts that replace each other, such as `Score: *`. With one `{key}`, as in `Health of {key}: *`, only " +
      "contexts with the same text in its place do. Of those that wait, only the newest is sent. Default: none.",
    { item: keyPattern, type: "patterns", lengthMax: PATTERNS_MAX },
  ),
  coalesce_interval: optionalDuration(
    "The least time between two contexts that replace each other. A force does not wait for it: contexts from before it are sent at once. " +
      "Default: 1s.",
    { max: 60_000 },
  ),
  debounce: optionalDuration(
    "How long a change of their actions waits for further changes, so that Neuro gets all of them as one. 0: not at all. Nothing waits while " +
      "the integration has a force. Default: 0.",
    { max: 60_000 },
  ),
  results: optionalChoice("`failures-only`: they report results only of failed actions. Default: `required`.", [
    "required",
    "failures-only",
  ]),
  behaviour: optionalChoice(
    "The preset of `nakurity-backend.behaviour` that applies to them. Default: that of `nakurity-backend.behaviour`.",
    BEHAVIOUR_PRESET_NAMES,
  ),
  result_deadline: optionalDuration(
    "Time after which the relay answers an action in their place. Default, and maximum: the deadline of the upstream. An action of several " +
      "integrations has the longest time of them.",
    { min: 100 },
  ),
  grace: optionalDuration(
    "How long they can be disconnected before their actions are unregistered. Default: `actions.grace`.",
  ),
  parked: optionalDuration(
    "How long their actions are remembered while they are disconnected. Default: `actions.parked`.",
    {
      min: 1_000,
    },
  ),
}));

/** The settings of one policy. */
export const policy: z.ZodMiniType<PolicySettings> = policyFields;

export const policies: z.ZodMiniType<readonly PolicySettings[]> = list(
  "Policies: how integrations are treated, by their names. For each setting the first policy applies that matches the name and has the " +
    "setting; lists are not joined. The settings of a policy are [below](#policies).",
  { item: policyFields, type: "policies" },
);

const EXPECTED_RANGE = { error: "expected two numbers, the lower one first, such as [0, 127]" };
const range = z.tuple([z.number(), z.number()], EXPECTED_RANGE)
  .check(z.refine(([low, high]) => low <= high, EXPECTED_RANGE));

const n = DEFAULTS.nallely;
export const nallely: z.ZodMiniType<NallelySettings> = block<NallelySettings>(
  "The relay as a neuron of a Nallely session.",
  n,
  () => ({
    enabled: flag("Join the session.", { default: n.enabled, restart: true }),
    url: url("The session's URL for neurons.", { default: n.url, example: "ws://127.0.0.1:6789" }),
    trevor_url: url("The URL of Trevor, the session's control interface.", {
      default: n.trevor_url,
      example: "ws://127.0.0.1:6788",
      mayBeEmpty: true,
    }),
    name: textOfForm("The neuron's name.", {
      fits: (name) => /^[^_/?#]+$/.test(name),
      expected: "a name without _, /, ? and #",
    }, { default: n.name, restart: true }),
    rate: count("Maximum number of values per second and parameter.", { default: n.rate, min: 1, max: 10_000 }),
    repair: flag("Add parameters that are missing in the session, because it keeps the first registration of a name.", {
      default: n.repair,
    }),
    inputs: list(
      "Parameters that others can send to. Each has `parameter`, `range` (two numbers) and what happens when the value rises above " +
        "`threshold`: `context` sends a context to Neuro, `force` asks her to use one of `actions`, `choose` (with `data`) picks an " +
        "action for the open force in standalone mode; `{value}` is replaced by the value. Also `hysteresis`, `every` (the minimum " +
        "interval) and `silent`.",
      {
        item: entry(() => ({
          parameter: requiredText("The parameter's name."),
          range: z._default(range, [0, 127]),
          context: optionalText("A context for Neuro; `{value}` is replaced by the value."),
          force: optionalText("A query for Neuro, as a force with all `actions`."),
          choose: optionalText("The action that is chosen for the open force."),
          data: text("The data of the chosen action, as JSON.", { default: "" }),
          threshold: real("The value has to rise above this.", { default: 64 }),
          hysteresis: real("The value has to fall this far below `threshold` before it counts again.", { default: 1 }),
          every: duration("The minimum interval.", { default: 1_000 }),
          silent: flag("Send the context silently: Neuro need not react.", { default: true }),
        })),
        type: "inputs",
      },
    ),
    actions: list(
      "Actions with which Neuro sets a parameter that others can listen to. Each has `name`, `description`, `parameter` and `range`.",
      {
        item: entry(() => ({
          name: requiredText("The action's name."),
          description: requiredText("The description that Neuro sees."),
          parameter: requiredText("The parameter that the action sets."),
          range: z._default(range, [0, 127]),
        })),
        type: "actions",
      },
    ),
  }),
);
