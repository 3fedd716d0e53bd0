/** The simulation injects enough faults to find violations: relays that are broken on purpose do not pass. */
import { test } from "#runner";
import type { Effect } from "../../src/core/effect.ts";
import type { Millis } from "../../src/core/ids.ts";
import type { StepContext } from "../../src/core/context.ts";
import type { SupervisedService } from "../../src/relay/mod.ts";
import { check } from "../harness/check.ts";
import { simulate } from "./run.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/** The effects of a broken relay in place of one effect. */
type Mutation = (effect: Effect) => readonly Effect[];

const mutant = (fault: Mutation) => (service: SupervisedService): SupervisedService => ({
  name: service.name,
  resident: service.resident,
  step: (event, ctx) => service.step(event, mutantContext(ctx, fault)),
  nextWakeup: () => service.nextWakeup(),
  nameOf: (peer) => service.nameOf(peer),
  observes: (name) => service.observes?.(name) === true,
  countsUntil: (name) => service.countsUntil(name),
  wantsChange: (of) => service.wantsChange(of),
  restore: (settings, input) => service.restore(settings, input),
});

const mutantContext = (ctx: StepContext, fault: Mutation): StepContext => ({
  now: ctx.now,
  random: () => ctx.random(),
  id: () => ctx.id(),
  secret: () => ctx.secret(),
  post: (service, message) => ctx.post(service, message),
  observe: (observation) => ctx.observe(observation),
  count: (who, way, kind) => ctx.count(who, way, kind),
  emit: (effect) => {
    for (const instead of fault(effect)) ctx.emit(instead);
  },
});

/** Changes the frames to Neuro with this command. */
const upstream = (command: string, change: (frame: string) => readonly string[]): Mutation => (effect) => {
  if (effect.do !== "send" || !effect.to.startsWith("neuro:") || typeof effect.frame !== "string") return [effect];
  if (!effect.frame.includes(`"command":"${command}"`)) return [effect];
  return change(effect.frame).map((frame) => ({ ...effect, frame }));
};

const isFrame = (effect: Effect, part: string): boolean =>
  (effect.do === "send" || effect.do === "reply") && typeof effect.frame === "string" && effect.frame.includes(part);

/** All violations that the first seeds find in such a relay. */
async function violationsOf(fault: Mutation): Promise<string> {
  const found: string[] = [];
  for (const seed of SEEDS) found.push(...(await simulate({ seed, wrap: mutant(fault) })).violations);
  return found.join("\n");
}

async function checkFound(fault: Mutation, pattern: RegExp): Promise<void> {
  check.match(await violationsOf(fault), pattern);
}

test("SI9 a result that is not sent, or twice, is found", async () => {
  await checkFound(upstream("action/result", () => []), /no result for/);
  await checkFound(upstream("action/result", (frame) => [frame, frame]), /result 2 for/);
});

test("SI9 a second force is found", async () => {
  await checkFound(upstream("actions/force", (frame) => [frame, frame]), /a second force .* while one is open/);
});

test("SI9 a list that differs from what the games registered is found", async () => {
  await checkFound(upstream("actions/unregister", () => []), /registered twice|but no client does/);
  await checkFound(upstream("actions/register", (frame) => frame.includes("--move") ? [] : [frame]), /Neuro does not have/);
});

test("SI9 a null, an unknown key and a binary frame for Neuro are found", async () => {
  await checkFound(upstream("context", (frame) => [frame.replace('"data":{', '"data":{"x":1,')]), /unknown keys x/);
  await checkFound(upstream("context", (frame) => [frame.replace(/"message":"[^"]*"/, '"message":null')]), /a null in/);
  const bytes: Mutation = (effect) =>
    effect.do === "send" && effect.to.startsWith("neuro:") ? [{ ...effect, frame: new Uint8Array(2) }] : [effect];
  await checkFound(bytes, /a binary frame/);
});

test("SI9 a queued message that is lost, or repeated without the flag, is found", async () => {
  await checkFound((effect) => (isFrame(effect, '"from_watcher"') ? [] : [effect]), /was queued and is lost/);
  const silent: Mutation = (effect) =>
    (effect.do === "send" || effect.do === "reply") && typeof effect.frame === "string"
      ? [{ ...effect, frame: effect.frame.replace('"redelivered":true,', "") }]
      : [effect];
  await checkFound(silent, /again without the flag/);
});

test("SI9 a deadline that stays due is found", async () => {
  const stuck = await simulate({
    seed: SEEDS[0] ?? 1,
    wrap: (service) => {
      let now: Millis | undefined;
      const step: SupervisedService["step"] = (event, ctx) => {
        now = ctx.now;
        return service.step(event, ctx);
      };
      return { ...mutant((effect) => [effect])(service), step, nextWakeup: () => now };
    },
  });
  check.match(stuck.violations.join("\n"), /time stands still/);
});

test("SI9 every kind of event occurs within 12 seeds", async () => {
  const tally = new Map<string, number>();
  for (const seed of SEEDS) {
    for (const [kind, count] of (await simulate({ seed })).observationCounts) {
      tally.set(kind, (tally.get(kind) ?? 0) + count);
    }
  }
  const EXPECTED = [
    "action_result",
    "force_opened",
    "force_ended",
    "message_queued",
    "message_delivered",
    "panicked",
    "store_failed",
    "taken_over",
    "upstream_connected",
    "upstream_lost",
    "input_repaired",
    "operator_acted",
    "approval_wanted",
  ];
  check.equal(EXPECTED.filter((kind) => (tally.get(kind) ?? 0) < 3), [], JSON.stringify([...tally]));
});
