/** `trace` and `transcript` of a running relay: one action followed from the game to Neuro and back. */
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { JsonClient, type Message } from "../../harness/json-client.ts";
import { freePort } from "../storage/backends.ts";
import { CliFolder, exitStatus, untilOutput } from "./cli-process.ts";

test("TR30 one action has the same trace in the API, on the command line and for its game", async () => {
  const ports = await Promise.all(
    ["intermediary", "nakurity-backend", "brain", "web"].map(async (block) => [block, await freePort()] as const),
  );
  const blocks = ports.map(([block, port]) =>
    `${block}: {port: ${port}${block === "nakurity-backend" ? ", choice_timeout: 50ms" : ""}}`
  );
  const place = await CliFolder.make({ "relay.yaml": blocks.join("\n") });
  check.equal((await place.run(["trace", "1-1"])).status, 1);
  const relay = place.start([]);
  const said = await untilOutput(relay, "stdout", /is ready/);
  const [, web, token] = /(http:\S+?)\/?#token=(\w+)/.exec(said) ?? [];
  const backend = said.split("\n").find((line) => line.includes("Backend")) ?? "";
  const game = await JsonClient.open(/ws:\S+/.exec(backend)?.[0] ?? "");
  for (const command of ["startup", "neuro-relay/trace"]) game.send({ command, game: "Chess" });
  const actions = [{ name: "move", description: "Moves." }];
  game.send({ command: "actions/register", game: "Chess", data: { actions } });
  const force = { query: "Move?", state: "e2", action_names: ["move"] };
  game.send({ command: "actions/force", game: "Chess", data: force });
  const { data } = await game.next(({ command }) => command === "action");
  game.send({ command: "action/result", game: "Chess", data: { id: data.id, success: true, message: "Moved." } });
  const received = await game.next(({ command, data }) => command === "neuro-relay/trace" && data.trace?.kind === "action");
  await game.next(({ command, data }) => command === "neuro-relay/trace" && data.trace?.kind === "force");
  const { trace } = received.data;
  check.equal([trace.outcome, trace.texts.result, trace.steps.length], ["succeeded", "Moved.", 4]);
  const headers = { authorization: `Bearer ${token}` };
  const api: Message = await (await fetch(`${web}/api/traces/${trace.id}`, { headers })).json();
  check.equal(api, trace);
  check.equal(JSON.parse((await place.run(["trace", trace.id, "--json"])).out), api);
  const text = await place.run(["trace", trace.id]);
  check.match(text.out, new RegExp(`^${trace.id} {2}action {2}Chess {2}move {2}succeeded {2}\\d+ ms\n`));
  check.match(
    text.out,
    /\n +\+0 ms {2}received {2}relay\n +\+0 ms {2}sent {2}Chess\n +\+\d+ ms {2}answered {2}Chess {2}success\n/,
  );
  const listed = await place.run(["trace", "--kind", "action", "--integration", "chess", "--json"]);
  check.equal(listed.out.trim().split("\n").map((line) => JSON.parse(line).id), [trace.id]);
  const lines = await fetch(`${web}/api/traces?kind=action`, { headers: { ...headers, accept: "application/jsonl" } });
  check.equal([lines.headers.get("content-type"), JSON.parse(await lines.text())], ["application/jsonl", api]);
  const paged = await fetch(`${web}/api/traces?limit=1`, { headers: { ...headers, accept: "application/jsonl" } });
  check.match(paged.headers.get("link") ?? "", /^<\?limit=1&after=[\d-]+>; rel="next"$/);
  const transcript = (await place.run(["transcript"])).out;
  check.match(transcript, /force {2}Chess {2}move {2}\[e2\] {2}[^\n]*Move\?\n[^\n]*action {2}relay {2}move/);
  check.match(transcript, /result {2}Chess {2}success {2}Moved\.\n/);
  check.match((await place.run(["transcript", "--search", "MOVE?"])).out, /^\S+ {2}force [^\n]*\n$/);
  check.equal((await place.run(["trace", "--kind", "dance"])).status, 2);
  game.close();
  relay.kill("SIGTERM");
  await exitStatus(relay);
  await place.remove();
}, { timeoutMs: 60_000 });
