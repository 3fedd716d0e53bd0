/** The transcript: what Neuro was sent, in order, and what she did. */
import { test } from "#runner";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import { toRequestId } from "../../../../../src/core/ids.ts";
import type { TranscriptFilter, TranscriptView } from "../../../../../src/core/traces/trace.ts";
import type { Page } from "../../../../../src/core/view.ts";
import { check } from "../../../../harness/check.ts";
import { Scenario, started } from "../fixture.ts";

function transcriptIn(scenario: Scenario, filter: TranscriptFilter = {}): Page<TranscriptView> {
  const before = scenario.effects.length;
  scenario.step({
    is: "requested",
    requestId: toRequestId("1"),
    principal: { by: "test", scopes: ["watch"] },
    request: { of: "neuro", get: "transcript", ...filter },
  });
  const reply = scenario.effects.slice(before).find((effect) => effect.do === "respond");
  check.that(reply !== undefined && "body" in reply);
  return reply.body as unknown as Page<TranscriptView>; // Why the cast: a reply is any JSON.
}

const inWords = ({ items }: Page<TranscriptView>): readonly string[] =>
  items.toReversed().map(({ is, from, actions, text, state, success }) =>
    [is, from, actions.join("+"), text, state, success].filter((part) => part !== "" && part !== null).join(" ")
  );

test("TR20 the transcript has what Neuro was sent and what she did, in order, as she read it", () => {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "move");
  chess.context("It is cold.").force(["move"], { query: "Move?", state: "e2" });
  neuro.action("u1", "move", "{}");
  chess.result(true, { message: "Moved." }).unregister("move");
  check.equal(inWords(transcriptIn(scenario)), [
    "startup relay",
    "registered relay move",
    "context Chess [Chess] It is cold.",
    "force Chess move [Chess] Move? e2",
    "action neuro move {}",
    "result Chess Moved. true",
    "unregistered relay move",
  ]);
  const [sent] = scenario.observed("action_sent");
  check.equal(transcriptIn(scenario, { is: "result" }).items[0]?.trace, sent?.id);
  check.equal(transcriptIn(scenario, { is: "force" }).items[0]?.trace, scenario.observed("force_opened")[0]?.id);
  check.equal(transcriptIn(scenario, { is: "context" }).items[0]?.trace, scenario.observed("add_context")[0]?.id);
});

test("TR21 the transcript has nothing that was not sent, because Neuro is away or a frame is too large", () => {
  const scenario = new Scenario();
  const neuro = scenario.neuro();
  const chess = started(scenario, "Chess", "move");
  chess.context("Nobody is here.");
  check.equal(transcriptIn(scenario).items, []);
  neuro.open();
  check.equal(inWords(transcriptIn(scenario)), [
    "startup relay",
    "registered relay move",
    "context Chess [Chess] Nobody is here.",
  ]);
  const large = new Scenario({ neuros: [{ frame_bytes: 16_384 }] });
  large.neuro().open();
  started(large, "Chess", { name: "move", description: "x".repeat(16_384) });
  check.equal([inWords(transcriptIn(large)), large.neuro().heard()], [["startup relay"], ["startup"]]);
});

test("TR22 the transcript is searched, in texts and names, in any case, and by kind and upstream", () => {
  const scenario = new Scenario({
    neuros: [{ id: "neuro" }, { id: "evil" }],
    integrations: [{ match: "Poker", upstream: "evil" }],
  });
  scenario.neuro("neuro").open();
  scenario.neuro("evil").open();
  started(scenario, "Chess", "move").context("The QUEEN is lost.");
  started(scenario, "Poker", "bet").context("A queen of hearts.");
  check.equal(transcriptIn(scenario, { search: "queen" }).items.map(({ from }) => from), ["Poker", "Chess"]);
  check.equal(transcriptIn(scenario, { search: "queen", upstream: "neuro" }).items.map(({ from }) => from), ["Chess"]);
  check.equal(transcriptIn(scenario, { search: "BET" }).items.map(({ is }) => is), ["registered"]);
  check.equal(transcriptIn(scenario, { upstream: "none" }).items, []);
});

test("TR23 a transcript occupies at most `traces.transcript_bytes`; 0 disables it", () => {
  const traces = { ...DEFAULTS.traces, transcript_bytes: 20_000 };
  const scenario = new Scenario({ settings: { traces } });
  scenario.neuro().open();
  const chess = started(scenario, "Chess", "move");
  for (let at = 0; at < 50; at++) chess.context(`${at} ${"x".repeat(500)}`);
  const { transcripts } = scenario.harness.state;
  check.that(transcripts.retained.bytes <= 20_000 && transcripts.retained.bytes > 15_000, `${transcripts.retained.bytes}`);
  check.that(transcriptIn(scenario).items[0]?.text.startsWith("[Chess] 49 ") === true);
  scenario.configure({ settings: { traces: { ...traces, transcript_bytes: 0 } } });
  chess.context("unseen");
  check.equal([transcriptIn(scenario).items, transcripts.retained.bytes], [[], 0]);
});
