/** Neuro: where she is, how integrations share her, and how each of them is treated. */
import { z } from "zod";
import { DEFAULTS, UPSTREAM_DEFAULTS } from "../../core/defaults.ts";
import type { ActionSettings, IntegrationPolicy, NallelySettings, UpstreamSettings } from "../../core/settings.ts";
import {
  block,
  choice,
  count,
  duration,
  entry,
  flag,
  list,
  optionalDuration,
  optionalPort,
  optionalText,
  real,
  requiredText,
  text,
} from "../setting.ts";

const PROFILES = ["neuro", "randy", "tony", "jippity", "gary", "neuro_api"] as const;

const u = UPSTREAM_DEFAULTS;
const upstreamFields = entry({
  id: text("Which upstream this is, where there are several: `neuro`, `evil`.", { fallback: u.id, restart: true }),
  url: optionalText("Where Neuro is: `ws://127.0.0.1:8000`. Or give `host` and `port`, as the original relay does."),
  host: optionalText("The host of `url`; 127.0.0.1 if only `port` is given."),
  port: optionalPort("The port of `url`; 8000 if only `host` is given."),
  name: text("What Neuro sees as the game's name.", { fallback: u.name, restart: true }),
  profile: choice("Which backend it is; each has its own deadlines and oddities.", PROFILES, { fallback: u.profile }),
  action_deadline: optionalDuration("How long an action may take there; the profile's own if not given."),
  character: optionalText("The character expected there; a note is made when another one answers."),
  context_rate: count("Contexts a second that are passed on; 0 switches the bound off.", {
    fallback: u.context_rate,
    most: 10_000,
  }),
  context_burst: count("Contexts that may come at once after a pause.", {
    fallback: u.context_burst,
    least: 1,
    most: 100_000,
  }),
  backoff: block("How long to wait before dialling again.", {
    base: duration("Bound of the first wait; it doubles with each attempt.", { fallback: u.backoff.base, least: 1 }),
    cap: duration("Bound of every wait.", { fallback: u.backoff.cap, least: 1 }),
  }),
  dial_timeout: duration("How long an attempt may take.", { fallback: u.dial_timeout, least: 1 }),
});

/** One upstream; the place is a URL, or host and port. */
export const upstream: z.ZodType<UpstreamSettings> = upstreamFields.transform((given, context): UpstreamSettings => {
  const { host, port: at, url, ...rest } = given;
  const isSplit = host !== undefined || at !== undefined;
  if (url !== undefined && isSplit) {
    context.addIssue({ code: "custom", path: ["url"], message: "expected either url, or host and port" });
  }
  const place = url ?? (isSplit ? `ws://${bracketed(host ?? "127.0.0.1")}:${at ?? 8_000}` : "");
  if (!isSocketUrl(place)) {
    context.addIssue({ code: "custom", path: ["url"], message: "expected a URL such as ws://127.0.0.1:8000" });
  }
  return { ...rest, url: place };
});

const bracketed = (host: string): string => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host);

function isSocketUrl(text: string): boolean {
  return /^wss?:\/\/[^/]/.test(text) && URL.canParse(text);
}

const a = DEFAULTS.actions;
export const actions: z.ZodType<ActionSettings> = block("How the actions of many integrations become those of one.", {
  naming: choice(
    "`shared`: equal actions of several integrations are one, and only unequal ones of the same name are prefixed. `prefixed`: all are.",
    ["shared", "prefixed"],
    { fallback: a.naming, restart: true },
  ),
  broadcast: choice("Who gets a shared action: all owners, or the first.", ["all", "first-owner"], {
    fallback: a.broadcast,
  }),
  grace: duration("How long an integration may be away before Neuro notices.", { fallback: a.grace }),
  attribution: flag("Put `[Game]` before contexts and queries.", { fallback: a.attribution }),
  force_timeout: duration("After this an unanswered force makes room for those that wait.", {
    fallback: a.force_timeout,
    least: 1_000,
  }),
  settle: duration("The pause after a force, before the next one.", { fallback: a.settle }),
  await_names: duration("How long a force waits for actions that are not registered yet.", { fallback: a.await_names }),
  restart_window: duration("What a game registers again this soon after its `startup` was never away.", {
    fallback: a.restart_window,
  }),
  parked: duration("How long the actions of an absent game are remembered.", { fallback: a.parked, least: 1_000 }),
  ageing: duration("A waiting force rises one priority after each of these.", { fallback: a.ageing, least: 100 }),
  broadcast_backend: flag("Leave actions that are not ours to others on the same backend, instead of answering them.", {
    fallback: a.broadcast_backend,
  }),
});

export const policies: z.ZodType<readonly IntegrationPolicy[]> = list(
  "How integrations are treated; the first whose `match` fits counts. Each entry has `match` (a name, `*` for any characters), " +
    "`upstream` (an id), `on_duplicate` (replace, suffix, reject), `priority_max` (low, medium, high, critical), " +
    "`shutdown`, `speech_finished` (true or false) and `results` (required, failures-only).",
  {
    of: entry({
      match: requiredText("A name, with `*` for any run of characters."),
      upstream: optionalText("The id of the upstream it belongs to."),
      on_duplicate: choice("What becomes of a second game of the same name.", ["replace", "suffix", "reject"], {
        fallback: "replace",
      }),
      priority_max: choice("No force of it ranks higher.", ["low", "medium", "high", "critical"], { fallback: "critical" }),
      shutdown: flag("Pass shutdown requests on to it.", { fallback: false }),
      speech_finished: flag("Tell it when Neuro has finished speaking.", { fallback: false }),
      results: choice("`failures-only`: it confirms nothing but failures.", ["required", "failures-only"], {
        fallback: "required",
      }),
    }),
    type: "policies",
  },
);

const n = DEFAULTS.nallely;
export const nallely: z.ZodType<NallelySettings> = block("The relay as a neuron of a Nallely session.", {
  enabled: flag("Join the session.", { fallback: n.enabled, restart: true }),
  url: text("Where neurons connect.", { fallback: n.url }),
  trevor_url: text("Where Trevor, the session's control, is.", { fallback: n.trevor_url }),
  name: text("The neuron's name.", { fallback: n.name, restart: true }),
  rate: count("Values a second and parameter at most.", { fallback: n.rate, least: 1, most: 10_000 }),
  repair: flag("Add the parameters that the session does not know, because it knew the name before.", {
    fallback: n.repair,
  }),
  inputs: list(
    "Parameters that others can send to. Each has `parameter`, `range` (two numbers), and what happens when the value rises over " +
      "`threshold`: `context` is said to Neuro, `force` asks her to use one of `actions`, `choose` (with `data`) picks an action for " +
      "the open force when the relay decides itself; `{value}` is replaced. Also `hysteresis`, `every` (at most once in this time) " +
      "and `silent`.",
    {
      of: entry({
        parameter: requiredText("The parameter's name."),
        range: z.tuple([z.number(), z.number()], { error: "expected two numbers, such as [0, 127]" }).default([0, 127]),
        context: optionalText("What is said to Neuro; `{value}` is replaced."),
        force: optionalText("What is asked of Neuro, as a force of all `actions`."),
        choose: optionalText("The action that is chosen for the open force."),
        data: text("The data of what is chosen, as JSON.", { fallback: "" }),
        threshold: real("The value it has to rise over.", { fallback: 64 }),
        hysteresis: real("How far it has to fall below before it counts again.", { fallback: 1 }),
        every: duration("At most once in this time.", { fallback: 1_000 }),
        silent: flag("Neuro need not react.", { fallback: true }),
      }),
      type: "inputs",
    },
  ),
  actions: list(
    "Actions by which Neuro sets a parameter that others can listen to. Each has `name`, `description`, `parameter` and `range`.",
    {
      of: entry({
        name: requiredText("The action's name."),
        description: requiredText("What Neuro is told of it."),
        parameter: requiredText("The parameter that it sets."),
        range: z.tuple([z.number(), z.number()], { error: "expected two numbers, such as [0, 127]" }).default([0, 127]),
      }),
      type: "actions",
    },
  ),
});
