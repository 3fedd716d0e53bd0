/** Who did what: kept over restarts, bounded, and not to be pushed out by those who may only look. */
import { test } from "#runner";
import { isObject, type Json } from "../../../../src/core/json.ts";
import { AUDIT_KEPT_MAX } from "../../../../src/core/limits.ts";
import { check } from "../../../harness/check.ts";
import { Desk, ENHANCED } from "./fixture.ts";

function act(desk: Desk, to: string, outcome: "done" | "notFound" | "notAllowed" = "done"): void {
  desk.tell({ is: "observed", observation: { is: "operator_acted", by: "web", did: "control", to, outcome } });
}

interface Listed {
  readonly items: readonly { readonly id: string; readonly to: string; readonly at: number; readonly outcome: string }[];
  readonly next: string | null;
}

function audit(desk: Desk, part: { after?: string; limit?: number } = {}): Listed {
  const page: Json | undefined = desk.ask({ of: "intermediary", get: "audit", ...part });
  check.that(isObject(page) && Array.isArray(page.items));
  return page as unknown as Listed; // Why the cast: declared so.
}

const audited = (desk: Desk): string[] => [...desk.stored.keys()].filter((key) => key.startsWith("intermediary/audit/"));

test("IM99 acts of people are kept over a restart, the newest first, in pages", () => {
  const desk = new Desk();
  for (const to of ["one", "two", "three"]) {
    desk.pass(10);
    act(desk, to);
  }
  act(desk, "four", "notFound");
  const next = desk.restart();
  act(next, "five");
  check.equal(audit(next).items.map(({ to, outcome }) => [to, outcome]), [
    ["five", "done"],
    ["four", "notFound"],
    ["three", "done"],
    ["two", "done"],
    ["one", "done"],
  ]);
  const first = audit(next, { limit: 2 });
  check.equal(first.items.map(({ to }) => to), ["five", "four"]);
  check.equal(audit(next, { limit: 2, after: first.next ?? "" }).items.map(({ to }) => to), ["three", "two"]);
  check.equal(next.ask({ of: "intermediary", get: "audit" }, ["admin"]), { fault: "notAllowed" });
});

test("IM99 of a thousand and more the oldest go, from the store too; a refusal for want of a scope takes no place", () => {
  const desk = new Desk();
  for (let n = 0; n < AUDIT_KEPT_MAX + 20; n++) act(desk, `act-${n}`);
  act(desk, "none of it", "notAllowed");
  check.equal(audited(desk).length, AUDIT_KEPT_MAX);
  const all = audit(desk, { limit: 1_000 });
  check.equal([all.items.length, all.items[0]?.to, all.items.at(-1)?.to], [AUDIT_KEPT_MAX, "act-1019", "act-20"]);
});

test("IM99 watchers that command all day push out their own acts, and nobody else's", () => {
  const desk = new Desk();
  act(desk, "what a person did");
  for (let n = 0; n < AUDIT_KEPT_MAX; n++) {
    desk.tell({
      is: "observed",
      observation: { is: "operator_acted", by: "bot", did: "command", to: `target-${n}`, outcome: "done" },
    });
  }
  const { items } = audit(desk.restart(), { limit: 1_000 });
  check.equal([items.length, items.at(-1)?.to, items.at(-2)?.to], [
    AUDIT_KEPT_MAX / 2 + 1,
    "what a person did",
    `target-${AUDIT_KEPT_MAX / 2}`,
  ]);
  check.equal(audited(desk).length, AUDIT_KEPT_MAX / 2 + 1);
});

test("IM99 an act that could not be stored is stored later, under another key", () => {
  const desk = new Desk({ isStoring: false });
  act(desk, "one");
  const [failed] = [...desk.landed.keys()].filter((key) => key.startsWith("intermediary/audit/"));
  check.that(failed !== undefined);
  desk.step({ is: "storeFailed", key: failed, reason: "full" });
  desk.pass(5_000);
  const written = [...desk.landed.keys()].filter((key) => key.startsWith("intermediary/audit/") && key !== failed);
  check.equal(written.length, 1);
  check.equal(audit(desk).items.map(({ to }) => to), ["one"]);
});

test("IM39 what a watcher commands is on record under its name, once a minute for each thing", () => {
  const desk = new Desk();
  desk.integration("a");
  const watcher = desk.watcher("eye");
  const command = (target: string): void => desk.frame(watcher, { target, cmd: 1 });
  for (let n = 0; n < 10; n++) command("a");
  command("nobody");
  desk.frame(desk.watcher("boss", ENHANCED), { direct_to_neuro: true, payload: "hi" });
  desk.frame(watcher, { query: "peers" });
  desk.pass(60_000);
  command("a");
  const acts = desk.observations.flatMap((observation) => (observation.is === "operator_acted" ? [observation] : []));
  check.equal(acts.map(({ by, did, to, outcome }) => [by, did, to, outcome]), [
    ["eye", "command", "a", "done"],
    ["eye", "command", "nobody", "notFound"],
    ["boss", "direct", "neuro", "done"],
    ["eye", "command", "a", "done"],
  ]);
});
