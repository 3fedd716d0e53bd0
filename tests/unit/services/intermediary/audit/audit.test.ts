import { test } from "#runner";
import { isObject, type Json } from "../../../../../src/core/json.ts";
import { AUDIT_KEPT_MAX } from "../../../../../src/core/limits.ts";
import { check } from "../../../../harness/check.ts";
import { ENHANCED, IntermediaryFixture } from "../fixture.ts";

function act(fixture: IntermediaryFixture, to: string, outcome: "done" | "notFound" | "notAllowed" = "done"): void {
  fixture.receive({ is: "observed", observation: { is: "operator_acted", by: "web", did: "control", to, outcome } });
}

interface Listed {
  readonly items: readonly {
    readonly id: string;
    readonly target: string;
    readonly at: number;
    readonly outcome: string;
  }[];
  readonly next: string | null;
}

function audit(fixture: IntermediaryFixture, part: { after?: string; limit?: number } = {}): Listed {
  const page: Json | undefined = fixture.request({ of: "intermediary", get: "audit", ...part });
  check.that(isObject(page) && Array.isArray(page.items));
  return page as unknown as Listed; // Why the cast: declared so.
}

const audited = (fixture: IntermediaryFixture): string[] =>
  [...fixture.stored.keys()].filter((key) => key.startsWith("intermediary/audit/"));

test("IM99 the audit log survives a restart and is listed newest first, in pages", () => {
  const fixture = new IntermediaryFixture();
  for (const to of ["one", "two", "three"]) {
    fixture.advance(10);
    act(fixture, to);
  }
  act(fixture, "four", "notFound");
  const next = fixture.restart();
  act(next, "five");
  check.equal(audit(next).items.map(({ target, outcome }) => [target, outcome]), [
    ["five", "done"],
    ["four", "notFound"],
    ["three", "done"],
    ["two", "done"],
    ["one", "done"],
  ]);
  const first = audit(next, { limit: 2 });
  check.equal(first.items.map(({ target }) => target), ["five", "four"]);
  check.equal(audit(next, { limit: 2, after: first.next ?? "" }).items.map(({ target }) => target), ["three", "two"]);
  check.equal(next.request({ of: "intermediary", get: "audit" }, ["admin"]), { fault: "notAllowed" });
});

test("IM99b the audit log keeps 1,000 entries, drops the oldest from the store too, and records no refusal for a missing scope", () => {
  const fixture = new IntermediaryFixture();
  for (let n = 0; n < AUDIT_KEPT_MAX + 20; n++) act(fixture, `act-${n}`);
  act(fixture, "none of it", "notAllowed");
  check.equal(audited(fixture).length, AUDIT_KEPT_MAX);
  const all = audit(fixture, { limit: 1_000 });
  check.equal([all.items.length, all.items[0]?.target, all.items.at(-1)?.target], [AUDIT_KEPT_MAX, "act-1019", "act-20"]);
});

test("IM99c acts of watchers replace only acts of watchers", () => {
  const fixture = new IntermediaryFixture();
  act(fixture, "operator");
  for (let n = 0; n < AUDIT_KEPT_MAX; n++) {
    fixture.receive({
      is: "observed",
      observation: { is: "operator_acted", by: "bot", did: "command", to: `target-${n}`, outcome: "done" },
    });
  }
  const { items } = audit(fixture.restart(), { limit: 1_000 });
  check.equal([items.length, items.at(-1)?.target, items.at(-2)?.target], [
    AUDIT_KEPT_MAX / 2 + 1,
    "operator",
    `target-${AUDIT_KEPT_MAX / 2}`,
  ]);
  check.equal(audited(fixture).length, AUDIT_KEPT_MAX / 2 + 1);
});

test("IM99d an audit entry whose write failed is written again under another key", () => {
  const fixture = new IntermediaryFixture({ isStoring: false });
  act(fixture, "one");
  const [failed] = [...fixture.storedAndWriting.keys()].filter((key) => key.startsWith("intermediary/audit/"));
  check.that(failed !== undefined);
  fixture.step({ is: "storeFailed", key: failed, reason: "full" });
  fixture.advance(5_000);
  const written = [...fixture.storedAndWriting.keys()].filter((key) =>
    key.startsWith("intermediary/audit/") && key !== failed
  );
  check.equal(written.length, 1);
  check.equal(audit(fixture).items.map(({ target }) => target), ["one"]);
});

test("IM39 what a watcher changes is recorded as `watcher` and its name, equal acts once a minute", () => {
  const fixture = new IntermediaryFixture();
  fixture.integration("a");
  const watcher = fixture.watcher("eye");
  const command = (target: string): void => fixture.frame(watcher, { target, cmd: 1 });
  for (let n = 0; n < 10; n++) command("a");
  command("nobody");
  fixture.frame(fixture.watcher("boss", ENHANCED), { direct_to_neuro: true, payload: "hi" });
  fixture.frame(watcher, { query: "peers" });
  fixture.advance(60_000);
  command("a");
  const acts = fixture.observations.flatMap((observation) => (observation.is === "operator_acted" ? [observation] : []));
  check.equal(acts.map(({ by, did, to, outcome }) => [by, did, to, outcome]), [
    ["watcher eye", "command", "a", "done"],
    ["watcher eye", "command", "nobody", "notFound"],
    ["watcher boss", "direct", "neuro", "done"],
    ["watcher eye", "command", "a", "done"],
  ]);
});

test("IM39b a watcher with the name of a token is not recorded as that token", () => {
  const fixture = new IntermediaryFixture();
  fixture.integration("a");
  for (const name of ["web", "intermediary", "web, intermediary"]) {
    fixture.frame(fixture.watcher(name), { target: "a", cmd: 1 });
  }
  const acts = fixture.observations.flatMap((observation) => (observation.is === "operator_acted" ? [observation.by] : []));
  check.equal(acts, ["watcher web", "watcher intermediary", "watcher web, intermediary"]);
});
