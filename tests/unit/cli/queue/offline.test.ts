import { test } from "#runner";
import { join } from "node:path";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import { key, segment } from "../../../../src/core/key.ts";
import { type EntryHead, entryKey } from "../../../../src/queue/entry.ts";
import { openStore } from "../../../../src/storage/open-store.ts";
import type { Store } from "../../../../src/engine/ports.ts";
import { check } from "../../../harness/check.ts";
import { CliFolder, exitStatus, untilOutput } from "../cli-process.ts";

const [WAITING, DEAD, LATER] = [
  "1700000000000-0000000001",
  "1700000000000-0000000002",
  "1700000000000-0000000003",
] as const;
const MADE = "2023-11-14T23:13:20.000Z";
const BODY = '{"from_watcher":"os","cmd":{"n":1}}';

const opened = (place: CliFolder): Promise<Store> =>
  openStore({ ...DEFAULTS.queue, path: join(place.folder, "relay_message_queue") }, { onQuarantine: () => {} });

/** A queue with a message that waits for Spotify, and two dead letters. */
async function filled(): Promise<CliFolder> {
  const place = await CliFolder.make();
  const store = await opened(place);
  const put = (is: "queue" | "dead", to: string, head: EntryHead) =>
    store.put(entryKey({ service: "intermediary", is, recipient: segment(to) }, head), {
      v: 1,
      id: head.id,
      at: Date.parse(MADE),
      exp: head.exp,
      kind: head.kind,
      body: BODY,
      ...(is === "dead" && { to, why: head.reason ?? "" }),
    });
  await put("queue", "Spotify é", { id: WAITING, exp: 4_000_000_000_000, bytes: BODY.length, kind: "command" });
  await put("dead", "discord", {
    id: DEAD,
    exp: 1_700_000_100_000,
    bytes: BODY.length,
    kind: "command",
    reason: "attempts",
  });
  await put("dead", "x".repeat(200), {
    id: LATER,
    exp: 1_700_000_100_000,
    bytes: BODY.length,
    kind: "direct",
    reason: "expired",
  });
  await store.put(key("intermediary", "names", "other"), { v: 1 });
  await store.close();
  return place;
}

test("CF30 queue list prints queued messages and dead letters", async () => {
  const place = await filled();
  const { status, out } = await place.run(["queue", "list"]);
  check.equal(status, 0);
  const lines = out.trimEnd().split("\n");
  check.equal(lines.length, 4);
  check.match(
    lines[0] ?? "",
    new RegExp(`^${WAITING} {2}command {2}35 B {2}to "Spotify é" {2}queued since 2096-10-01T\\S+, expires 2096-10-02T`),
  );
  check.match(lines[1] ?? "", /to "discord" {2}dead since 2023-11-14T22:15:00\.000Z \(attempts\)$/);
  check.equal(lines[3], "1 queued, 2 dead");
  const dead = JSON.parse((await place.run(["queue", "list", "--dead", "--json"])).out);
  check.equal(dead.map(({ id, state, reason }: Record<string, string>) => [id, state, reason]), [
    [DEAD, "dead", "attempts"],
    [
      LATER,
      "dead",
      "expired",
    ],
  ]);
  await place.remove();
});

test("CF30 queue show and export print the bodies", async () => {
  const place = await filled();
  const shown = JSON.parse((await place.run(["queue", "show", WAITING])).out);
  check.equal([shown.to, shown.kind, shown.body], ["Spotify é", "command", JSON.parse(BODY)]);
  check.equal(
    [shown.created_at, JSON.parse((await place.run(["queue", "show", DEAD])).out).created_at],
    [MADE, MADE],
    "as its body says",
  );
  const lines = (await place.run(["queue", "export"])).out.trimEnd().split("\n").map((line) => JSON.parse(line));
  check.equal(lines.map(({ id, to }) => [id, to]), [[WAITING, "Spotify é"], [DEAD, "discord"], [LATER, "x".repeat(200)]]);
  const missing = await place.run(["queue", "show", "1700000000000-0000000009"]);
  check.equal([missing.status, missing.errors.split("\n").at(-2)], [1, "1700000000000-0000000009: not in the queue"]);
  await place.remove();
});

test("CF30 queue retry puts a dead letter back under its id, with a new time to live", async () => {
  const place = await filled();
  check.match((await place.run(["queue", "retry", DEAD])).out, /^1 put back into the queue/);
  const entries = JSON.parse((await place.run(["queue", "list", "--json"])).out);
  check.equal(entries.map(({ id, state }: Record<string, string>) => [id, state]), [
    [WAITING, "queued"],
    [DEAD, "queued"],
    [LATER, "dead"],
  ]);
  check.that(Date.parse(entries[1].expires_at) > Date.now() + DEFAULTS.queue.ttl.command - 60_000);
  const store = await opened(place);
  const keys = await store.keys(key("intermediary", "queue", segment("discord")));
  check.equal((await store.read(keys)).length, 1);
  await store.close();
  check.match((await place.run(["queue", "retry", "--all"])).out, /^1 put back/);
  check.equal((await place.run(["queue", "retry"])).status, 2);
  await place.remove();
});

test("CF30 queue drop deletes the given messages and nothing else", async () => {
  const place = await filled();
  check.match((await place.run(["queue", "drop", WAITING])).out, /^1 deleted/);
  check.match((await place.run(["queue", "drop", "--all"])).out, /^1 deleted|^2 deleted/);
  check.match((await place.run(["queue", "list"])).out, /^0 queued, 0 dead/);
  const store = await opened(place);
  check.equal(await store.keys(key("intermediary")), [key("intermediary", "names", "other")]);
  await store.close();
  await place.remove();
});

test("CF38b queue does not open a locked store whose owner does not answer", async () => {
  const place = await filled();
  const store = await opened(place);
  const { status, errors } = await place.run(["queue", "list", "--set", "web.port=1"]);
  check.equal(status, 2);
  check.match(
    errors,
    /relay_message_queue is in use by process \d+ since .*\nit does not answer on the web port of this configuration; stop it to use this command\n$/,
  );
  await store.close();
  await place.remove();
});

test("CF30 queue reports a missing queue folder and does not create it", async () => {
  const place = await CliFolder.make();
  check.match((await place.run(["queue", "list"])).errors, /no such queue folder/);
  check.match((await place.run(["queue", "list"])).errors, /no such queue folder/);
  check.match(
    (await place.run(["queue", "list", "--set", "queue.backend=memory", "--set", "web.port=1"])).errors,
    /queue\.backend is memory, so only a running relay has the queue/,
  );
  await place.remove();
});

test(
  "CF47 what `queue export` prints is imported into another backend once, and serve says where messages were left",
  async () => {
    const place = await filled();
    const exported = (await place.run(["queue", "export"])).out;
    await place.write("messages.jsonl", exported);
    const sqlite = ["--set", "queue.backend=sqlite"];
    const first = await place.run(["queue", "import", "messages.jsonl", ...sqlite]);
    check.equal([first.status, first.out], [0, "3 of 3 imported\n"]);
    const again = await place.run(["queue", "import", "messages.jsonl", ...sqlite]);
    check.equal(again.out, "0 of 3 imported\n", "nothing twice");
    const copies = (await place.run(["queue", "export", ...sqlite])).out.trim().split("\n").map((line) => JSON.parse(line));
    const originals = exported.trim().split("\n").map((line) => JSON.parse(line));
    const shape = ({ id, to, state, kind, reason, body }: Record<string, unknown>) => ({
      id,
      to,
      state,
      kind,
      reason,
      body,
    });
    check.equal(copies.map(shape), originals.map(shape));
    for (const line of ["no JSON", "{}", '{"id":"x","to":"y","service":"intermediary","kind":"command","body":{}}', "[]"]) {
      await place.write("wrong.jsonl", `${exported}${line}\n`);
      const { status, errors } = await place.run(["queue", "import", "wrong.jsonl", ...sqlite]);
      check.equal(status, 2);
      check.match(errors, /^line 4: .*; expected a line of `queue export`\n$/);
    }
    const relay = place.start([
      "--port",
      "0",
      "--set",
      "web.port=0",
      "--set",
      "brain.port=0",
      "--set",
      "intermediary.port=0",
      ...sqlite,
    ]);
    const said = await untilOutput(
      relay,
      "stderr",
      /note: queue\.backend is sqlite, but fs in \S+ still holds messages; /,
    );
    check.match(said, /`neuro-relay queue export --set queue\.backend=fs > messages\.jsonl`/);
    relay.kill("SIGTERM");
    await exitStatus(relay);
    await place.remove();
  },
  { timeoutMs: 60_000 },
);
