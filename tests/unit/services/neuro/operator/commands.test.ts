/** Commands and queries: contexts, raw messages, integrations; and the scopes that they need. */
import { test } from "#runner";
import { peerId } from "../../../../../src/core/ids.ts";
import { TEST_CONNECTION } from "../../../../../src/testing/service-harness.ts";
import { check } from "../../../../harness/check.ts";
import { type FakeGame, Scenario, started } from "../fixture.ts";
import { Operator, type Wanted } from "./operator-fixture.ts";

interface Table {
  readonly scenario: Scenario;
  readonly neuro: ReturnType<Scenario["neuro"]>;
  readonly operator: Operator;
  readonly chess: FakeGame;
}

function table(): Table {
  const scenario = new Scenario();
  const neuro = scenario.neuro().open();
  const chess = started(scenario, "Chess", "a", "b", "wave");
  started(scenario, "Poker", "bet", "wave");
  neuro.heard();
  return { scenario, neuro, operator: new Operator(scenario), chess };
}

test("NB227 a person's context is stored while Neuro is away, and sent when she is back", () => {
  const { scenario, neuro, operator } = table();
  check.equal(operator.ask({ do: "sendContext", message: "Hi.", silent: true }), { body: { status: "sent" } });
  check.equal(neuro.heard(), ["context [web] Hi."]);
  operator.stop();
  operator.ask({ do: "sendContext", message: "All is stopped.", silent: false });
  check.equal(neuro.heard().at(-1), "context [web] All is stopped.");
  neuro.drop();
  const call = operator.call({ do: "sendContext", message: "Later.", silent: true });
  const put = scenario.effects.find((effect) => effect.do === "put" && effect.key.startsWith("neuro/context/"));
  check.that(put?.do === "put");
  check.equal(operator.answer(call), { body: { status: "queued" }, after: put.key });
  const again = operator.call({ do: "sendContext", message: "Later.", silent: true });
  check.equal(operator.answer(again)?.after, put.key, "the same context");
  operator.call({ do: "sendContext", message: "Lost.", silent: true });
  const other = scenario.effects.findLast((effect) => effect.do === "put" && effect.key.startsWith("neuro/context/"));
  check.that(other?.do === "put" && other.key !== put.key);
  scenario.step({ is: "storeFailed", key: other.key, reason: "full" });
  neuro.reopen();
  check.equal(neuro.heard(), ["startup", "context [web] Later."]);
  check.equal(operator.fault({ do: "sendContext", message: " ", silent: true }), "badMessage");
  check.equal(operator.fault({ do: "sendContext", message: "x", silent: true, upstream: "evil" }), "notFound");
});

test("NB228 a raw message goes verbatim to an integration, or to Neuro", () => {
  const { neuro, operator, chess } = table();
  check.equal(operator.ask({ do: "injectMessage", integration: "chess", message: { command: "x/y", n: 1 } }), {
    body: { status: "sent" },
  });
  check.equal(chess.heardFrames().at(-1), { command: "x/y", n: 1 });
  const shout = { command: "context", game: "Relay", data: { message: "raw", silent: true } };
  check.equal(operator.ask({ do: "injectMessage", upstream: "neuro", message: shout }).fault, undefined);
  check.equal(neuro.frames(), [shout]);
  check.equal(operator.fault({ do: "injectMessage", message: "text" }), "badMessage");
  check.equal(operator.fault({ do: "injectMessage", integration: "chess", upstream: "neuro", message: {} }), "badMessage");
  chess.close();
  neuro.drop();
  check.equal(operator.fault({ do: "injectMessage", integration: "chess", message: {} }), "notNow");
  check.equal(operator.fault({ do: "injectMessage", message: {} }), "notNow");
});

test("NB228b a raw message beyond the limit of its recipient is refused with its size, the limit and the setting", () => {
  const { scenario, neuro, operator, chess } = table();
  const jukebox = scenario.integration("jukebox");
  const message = (length: number) => ({ command: "x/y", data: "語".repeat(length / 3) });
  const refusal = (request: object) => operator.ask({ do: "injectMessage", ...request } as never).reason;
  check.match(refusal({ integration: "chess", message: message(66_000) }) ?? "", /has 66\d\d\d bytes; .* allows 65000$/);
  check.match(
    refusal({ integration: "jukebox", message: message(1_100_000) }) ?? "",
    /has 11\d+ bytes; `limits.message_bytes` allows 1048576$/,
  );
  check.match(
    refusal({ message: message(1_000_200) }) ?? "",
    /has 1000\d+ bytes; `frame_bytes` of the upstream neuro allows 1000000$/,
  );
  check.equal([chess.heard(), neuro.heard(), scenario.framesTo(jukebox.peer)], [[], [], []]);
});

test("NB229 an integration can be disconnected, and may reconnect", () => {
  const { scenario, operator, chess } = table();
  check.equal(operator.ask({ do: "disconnect", id: "chess" }).fault, undefined);
  check.equal(scenario.closed, [{ peer: chess.peer, fault: "leaving" }]);
  chess.close();
  check.equal(operator.fault({ do: "disconnect", id: "chess" }), "notNow");
  check.equal(operator.fault({ do: "disconnect", id: "x" }), "notFound");
  started(scenario, "Chess", "a");
  check.equal(operator.integration("chess").connected, true);
});

test("NB230 without its scope a command changes nothing; each command is observed", () => {
  const { scenario, operator } = table();
  const commands: [Wanted, string][] = [
    [{ do: "setControls", id: "chess", to: { paused: true } }, "admin"],
    [{ do: "setGlobalControls", to: { stopped: true } }, "admin"],
    [{ do: "disconnect", id: "chess" }, "admin"],
    [{ do: "injectMessage", message: {} }, "admin"],
    [{ do: "sendAction", id: "chess", name: "a" }, "command"],
    [{ do: "answerForce", force: "f", name: "a" }, "command"],
    [{ do: "cancelForce", force: "f" }, "command"],
    [{ do: "decideAction", pending: "p", approve: true }, "command"],
    [{ do: "sendContext", message: "m", silent: true }, "direct"],
  ];
  const scopes = ["watch", "command", "direct", "stop", "admin"] as const;
  for (const [wanted, needs] of commands) {
    for (const scope of scopes) {
      if (scope === "stop" && "do" in wanted && wanted.do === "setGlobalControls") continue;
      if (scope === needs || ("do" in wanted && wanted.do === "sendContext" && scope === "admin")) continue;
      check.equal(
        new Operator(scenario, [scope]).ask(wanted).fault,
        "notAllowed",
        `${JSON.stringify(wanted)} with ${scope}`,
      );
    }
  }
  check.equal([operator.integration("chess").paused, operator.status().controls.stopped], [false, false]);
  const refused = scenario.observed("operator_acted");
  check.that(refused.length > 20 && refused.every(({ outcome }) => outcome === "notAllowed"));
  for (const get of ["status", "integrations"] as const) {
    check.equal(new Operator(scenario, ["admin", "command"]).ask({ get }).fault, "notAllowed");
  }
  new Operator(scenario, ["admin"]).ask({ do: "setControls", id: "chess", to: { muted: true } });
  check.equal(scenario.observed("operator_acted").at(-1), {
    is: "operator_acted",
    by: "web",
    did: "mute",
    to: "chess",
    outcome: "done",
  });
});

test("NB230 the observation names the integration of a force or an action, even once that is over", () => {
  const { scenario, neuro, operator, chess } = table();
  chess.force(["a", "b"]);
  operator.control("chess", { approval: true });
  neuro.action("u1", "a");
  const [pending = { id: "" }] = operator.pendings();
  operator.ask({ do: "decideAction", pending: pending.id, approve: false });
  operator.ask({ do: "decideAction", pending: pending.id, approve: true });
  const force = operator.forceId();
  operator.call({ do: "answerForce", force, name: "b" });
  operator.ask({ do: "cancelForce", force });
  operator.ask({ do: "cancelForce", force: "gone" });
  check.equal(scenario.observed("operator_acted").slice(1).map(({ did, to, outcome }) => [did, to, outcome]), [
    ["reject", "chess a", "done"],
    ["approve", pending.id, "notFound"],
    ["answer", "chess b", "done"],
    ["veto", "chess", "done"],
    ["veto", "gone", "notFound"],
  ]);
});

test("NB231 integrations are listed in pages by id, with their counts", () => {
  const { scenario, neuro, operator, chess } = table();
  for (const name of ["Aaa", "Zzz"]) started(scenario, name, "x");
  neuro.action("u1", "a");
  chess.heard();
  scenario.pass(40);
  chess.result(true);
  neuro.action("u2", "a");
  chess.heard();
  scenario.pass(60);
  chess.result(false);
  chess.context("c").force(["a"]);
  interface Listed {
    readonly items: readonly { readonly id: string }[];
    readonly next: string | null;
  }
  const page = (after?: string): Listed =>
    operator.ask({ get: "integrations", limit: 2, ...(after !== undefined && { after }) }).body as unknown as Listed;
  const first = page();
  check.equal([first.items.map(({ id }) => id), first.next], [["aaa", "chess"], "chess"]);
  const second = page("chess");
  check.equal([second.items.map(({ id }) => id), second.next], [["poker", "zzz"], null]);
  const { counts, address, user_agent, registered_actions } = operator.ask({ get: "integration", id: "chess" })
    .body as unknown as {
      counts: unknown;
      address: string;
      user_agent: string;
      registered_actions: { name: string; upstream_name: string; shared: boolean }[];
    };
  check.equal(counts, { actions: 2, failures: 1, contexts: 1, forces: 1, result_ms: 100 });
  check.equal([address, user_agent], ["127.0.0.1", "test"]);
  check.equal(registered_actions.map(({ name, upstream_name, shared }) => [name, upstream_name, shared]), [
    ["a", "a", false],
    ["b", "b", false],
    ["wave", "wave", true],
  ]);
  scenario.post({
    is: "integrationJoined",
    peer: peerId("m"),
    name: "lights",
    connection: { ...TEST_CONNECTION, address: "10.0.0.7" },
  });
  const lights = operator.ask({ get: "integration", id: "lights" }).body as unknown as {
    address: string;
    listener: string;
  };
  check.equal([lights.listener, lights.address], ["intermediary", "10.0.0.7"]);
});

test("SE105 the scope `stop` permits to stop everything, and nothing else", () => {
  const { scenario, operator } = table();
  const guard = new Operator(scenario, ["stop"]);
  const changes = [{ stopped: false }, { approval: true }, { stopped: true, approval: true }, {}];
  for (const to of changes) check.equal(guard.ask({ do: "setGlobalControls", to }).fault, "notAllowed", JSON.stringify(to));
  check.equal(guard.ask({ do: "setControls", id: "chess", to: { paused: true } }).fault, "notAllowed");
  check.equal(guard.ask({ do: "setGlobalControls", to: { stopped: true } }).fault, undefined);
  check.equal(operator.status().controls.stopped, true);
  check.equal(guard.ask({ do: "setGlobalControls", to: { stopped: false } }).fault, "notAllowed");
  check.equal(scenario.observed("operator_acted").at(-2)?.did, "stop");
});
