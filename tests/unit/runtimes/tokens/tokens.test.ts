/** Tokens that expire, are revoked, and are known by their hash only. */
import { test } from "#runner";
import { hashText } from "../../../../src/core/hash.ts";
import type { Settings } from "../../../../src/core/settings.ts";
import { load } from "../../../../src/config/load.ts";
import { Tokens } from "../../../../src/runtimes/tokens/tokens.ts";
import { serve } from "../../../../src/runtimes/bun/serve.ts";
import { ApiClient, type ApiError } from "../../../../src/clients/api-client.ts";
import type { TokenView } from "../../../../src/core/view.ts";
import { inFolder } from "../../../harness/relay.ts";
import { check } from "../../../harness/check.ts";
import { JsonClient } from "../../../harness/json-client.ts";
import { MemoryStore } from "../memory-store.ts";

const [LAMP, CHESS, ADMIN] = ["token-of-the-lamp", "token-of-chess", "token-of-the-admin"];

function settingsOf(file: string): Settings {
  const loaded = load({ file: { name: "relay.yaml", text: file } });
  if (!loaded.ok) throw new Error(loaded.errors.join("\n"));
  return loaded.settings;
}

const CONFIGURATION = `
intermediary:
  auth_token: a-token-for-all
  tokens:
    - {name: lamp, token: {sha256: ${hashText(LAMP)}}, scopes: [integration], names: ["lamp*"], expires: 2027-01-31}
nakurity-backend:
  tokens: [{name: chess, token: {sha256: ${hashText(CHESS)}}, names: ["Chess*"]}]
web: {token: ${ADMIN}}
`;

class TokensFixture {
  now = Date.parse("2027-01-30T00:00:00Z");
  changes = 0;
  readonly failures: string[] = [];
  readonly tokens: Tokens;
  readonly store: MemoryStore;

  private constructor(store: MemoryStore) {
    this.store = store;
    this.tokens = new Tokens(settingsOf(CONFIGURATION), {
      hasTimer: false,
      now: () => this.now,
      changed: () => void this.changes++,
      failed: (reason) => void this.failures.push(reason),
    });
  }

  static async open(store: MemoryStore = new MemoryStore()): Promise<TokensFixture> {
    const fixture = new TokensFixture(store);
    await fixture.tokens.load(store);
    return fixture;
  }

  stateOf(id: string): string | undefined {
    return this.tokens.list().find((token) => token.id === id)?.state;
  }
}

test("SE101 a token that has expired is replaced by one that nobody has, and the listener stays closed", async () => {
  const fixture = await TokensFixture.open();
  const digestIn = ({ intermediary }: Settings) => intermediary.tokens[0]?.token;
  check.equal(digestIn(fixture.tokens.valid()), `sha256:${hashText(LAMP)}`);
  fixture.now = Date.parse("2027-01-31T00:00:00Z");
  check.equal(digestIn(fixture.tokens.valid()), `sha256:${"0".repeat(64)}`);
  check.equal([fixture.stateOf("intermediary:lamp"), fixture.stateOf("neuro:chess")], ["expired", "valid"]);
  for (let call = 0; call < 2; call++) fixture.tokens.expire();
  check.equal(fixture.changes, 1, "the settings are applied again once");
  await fixture.tokens.close();
});

test("SE101 a host without a store, such as the gateway of a node, notices that a token has expired", () => {
  let [now, changes] = [Date.parse("2027-01-30T00:00:00Z"), 0];
  const host = { hasTimer: false, now: () => now, changed: () => void changes++, failed: () => {} };
  const tokens = new Tokens(settingsOf(CONFIGURATION), host);
  tokens.expire();
  check.equal(changes, 0);
  now += 86_400_000;
  tokens.expire();
  check.equal(changes, 1);
});

test("SE102 a revocation is stored before it is confirmed, and survives a restart", async () => {
  const fixture = await TokensFixture.open();
  const gate = Promise.withResolvers<void>();
  fixture.store.gate = gate.promise;
  const revoked = fixture.tokens.revoke("neuro:chess");
  check.equal([fixture.changes, fixture.stateOf("neuro:chess")], [0, "valid"]);
  gate.resolve();
  check.equal(await revoked, { body: { status: "revoked" } });
  check.equal([fixture.changes, fixture.stateOf("neuro:chess")], [1, "revoked"]);
  await fixture.tokens.close();
  const later = await TokensFixture.open(fixture.store);
  check.equal([later.changes, later.stateOf("neuro:chess"), later.stateOf("intermediary:lamp")], [1, "revoked", "valid"]);
  check.equal(later.tokens.valid()["nakurity-backend"].tokens[0]?.token, `sha256:${"0".repeat(64)}`);
  for (const [id, fault] of [["neuro:no", "notFound"], ["web:web", "notNow"]]) {
    const result = await later.tokens.revoke(id ?? "");
    check.that("fault" in result);
    check.equal(result.fault, fault);
  }
  await later.tokens.close();
});

test("SE102 a revocation that cannot be stored changes nothing", async () => {
  const fixture = await TokensFixture.open();
  fixture.store.gate = Promise.reject(new Error("the disk is full"));
  const result = await fixture.tokens.revoke("neuro:chess");
  check.equal(result, { fault: "storageFailed", reason: "the disk is full" });
  check.equal([fixture.changes, fixture.stateOf("neuro:chess")], [0, "valid"]);
  await fixture.tokens.close();
});

test("SE103 the last use of a token is kept over restarts, and written once in ten minutes, one entry for each token", async () => {
  const fixture = await TokensFixture.open();
  const used = ({ tokens }: TokensFixture): Partial<TokenView> | undefined =>
    tokens.list().find(({ id }) => id === "intermediary:lamp");
  check.equal(used(fixture)?.last_used_at, null);
  let puts = 0;
  const put = fixture.store.put.bind(fixture.store);
  fixture.store.put = (...entry) => (puts++, put(...entry));
  for (let minute = 0; minute < 20; minute++) {
    fixture.now += 60_000;
    fixture.tokens.use(hashText(LAMP), `10.0.0.${minute}`);
  }
  await fixture.tokens.close();
  check.equal([puts, fixture.store.entries.size], [3, 1], "at once, after 10 minutes, and when it stops");
  const later = await TokensFixture.open(fixture.store);
  check.equal([used(later)?.last_used_at, used(later)?.last_address], [fixture.now, "10.0.0.19"]);
  check.equal(JSON.stringify(later.tokens.list()).includes(hashText(LAMP)), false, "no digest in the list");
  await later.tokens.close();
});

test("SE100 SE102 SE104 over sockets: hashed tokens open listeners for their names, and a revoked one closes its peers", () =>
  inFolder(async (folder) => {
    const settings = settingsOf(`${CONFIGURATION}
queue: {path: ${folder}/queue}
uploads: {path: ${folder}/uploads}
`);
    const free = (given: Settings): Settings => ({
      ...given,
      intermediary: { ...given.intermediary, port: 0 },
      "nakurity-backend": { ...given["nakurity-backend"], port: 0 },
      brain: { ...given.brain, enabled: false },
      web: { ...given.web, port: 0 },
    });
    const said: string[] = [];
    const options = { print: (line: string) => said.push(line), log: (line: string) => said.push(line) };
    const first = await serve(free(settings), options);
    const api = (url = "") => new ApiClient({ url, token: ADMIN, timeoutMs: 10_000 });
    const neuro = (url: string | undefined, token: string) => `${url}/?token=${token}`;
    try {
      const lamp = await JsonClient.open(first.urls.intermediary ?? "");
      lamp.send({ type: "integration", name: "lamp 1", auth_token: LAMP, ack: true });
      check.equal((await lamp.next()).event, "registered");
      const fan = await JsonClient.open(first.urls.intermediary ?? "");
      fan.send({ type: "integration", name: "fan", auth_token: LAMP });
      check.equal((await fan.next()).error, "not allowed");
      const chess = await JsonClient.open(neuro(first.urls.neuro, CHESS));
      chess.send({ command: "startup", game: "Chess 2" });
      const other = await JsonClient.open(neuro(first.urls.neuro, CHESS));
      other.send({ command: "startup", game: "Poker" });
      check.equal(await other.closed, 4403);
      const { items } = await api(first.urls.web).request<{ items: TokenView[] }>("GET", "tokens");
      const seen = items.map(({ id, hashed, last_address }) => [id, hashed, last_address]);
      check.equal(seen, [
        ["web:web", false, "127.0.0.1"],
        ["intermediary:lamp", true, "127.0.0.1"],
        ["intermediary:intermediary", false, null],
        ["neuro:chess", true, "127.0.0.1"],
      ]);
      for (const id of ["intermediary:lamp", "neuro:chess"]) await api(first.urls.web).request("DELETE", `tokens/${id}`);
      check.equal([await lamp.closed, await chess.closed], [4401, 4401]);
      const acts = await api(first.urls.web).request<{ items: { action: string; target: string }[] }>("GET", "audit");
      check.equal(acts.items.map(({ action, target }) => [action, target]), [
        ["revoke_token", "neuro:chess"],
        ["revoke_token", "intermediary:lamp"],
      ]);
      const failed = await api(first.urls.web).request("DELETE", "tokens/web:web").catch((error: ApiError) => error.status);
      check.equal(failed, 409);
    } finally {
      await first.drain();
    }
    const second = await serve(free(settings), options);
    try {
      const lamp = await JsonClient.open(second.urls.intermediary ?? "");
      lamp.send({ type: "integration", name: "lamp 1", auth_token: LAMP });
      check.equal((await lamp.next()).error, "invalid auth token");
      const refused = await fetch(neuro(second.urls.neuro, CHESS).replace("ws:", "http:"), {
        headers: { upgrade: "websocket", connection: "Upgrade" },
      });
      check.equal(refused.status, 401);
    } finally {
      await second.drain();
    }
    for (const secret of [LAMP, CHESS, hashText(LAMP), hashText(CHESS)]) {
      check.that(!said.join("\n").includes(secret), secret);
    }
  }));

test("SE101 over sockets: the connections of a token are closed when it expires", () =>
  inFolder(async (folder) => {
    const expires = Date.now() + 2_500; // Why so long: other suites may run beside this one.
    const settings = settingsOf(`
intermediary:
  port: 0
  auth_token: a-token-for-all
  tokens: [{name: lamp, token: ${LAMP}, scopes: [integration], expires: ${expires}}]
nakurity-backend: {port: 0, tokens: [{name: chess, token: ${CHESS}, expires: ${expires}}]}
brain: {enabled: false}
web: {port: 0, token: ${ADMIN}}
queue: {path: ${folder}/queue}
uploads: {path: ${folder}/uploads}
`);
    const served = await serve(settings, { print: () => {}, log: () => {} });
    try {
      const lamp = await JsonClient.open(served.urls.intermediary ?? "");
      lamp.send({ type: "integration", name: "lamp", auth_token: LAMP, ack: true });
      check.equal((await lamp.next()).event, "registered");
      const chess = await JsonClient.open(`${served.urls.neuro}/?token=${CHESS}`);
      check.equal([await lamp.closed, await chess.closed], [4401, 4401]);
      check.that(Date.now() >= expires);
      const refused = await fetch((served.urls.neuro ?? "").replace("ws:", "http:"), {
        headers: { upgrade: "websocket", connection: "Upgrade" },
      });
      check.equal(refused.status, 401, "without a token it is not open either");
    } finally {
      await served.drain();
    }
  }));
