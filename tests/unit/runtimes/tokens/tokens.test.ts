/** Tokens that expire, are revoked, and are known by their hash only. */
import { test } from "#runner";
import { ALL_SCOPES, credentialsOf } from "../../../../src/core/access.ts";
import { hashText } from "../../../../src/core/hash.ts";
import { ISSUED_TOKENS_MAX } from "../../../../src/core/limits.ts";
import type { Principal } from "../../../../src/core/request.ts";
import type { Settings } from "../../../../src/core/settings.ts";
import { load } from "../../../../src/config/load.ts";
import { Tokens } from "../../../../src/runtimes/tokens/tokens.ts";
import { serve } from "../../../../src/runtimes/bun/serve.ts";
import { ApiClient, type ApiError } from "../../../../src/clients/api-client.ts";
import type { IssuedTokenView, TokenView } from "../../../../src/core/view.ts";
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
  readonly secrets: string[] = [];
  readonly tokens: Tokens;
  readonly store: MemoryStore;

  constructor(store: MemoryStore) {
    this.store = store;
    this.tokens = new Tokens(settingsOf(CONFIGURATION), {
      hasTimer: false,
      now: () => this.now,
      changed: () => void this.changes++,
      failed: (reason) => void this.failures.push(reason),
      learnSecret: (token) => void this.secrets.push(token),
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

  /** The ids of the valid tokens. */
  get valid(): readonly string[] {
    return this.tokens.list().filter(({ state }) => state === "valid").map(({ id }) => id);
  }

  /** True if a client of the Intermediary can use this token now. */
  accepts(token: string): boolean {
    return credentialsOf(this.tokens.valid()).some(({ digest }) => digest === hashText(token));
  }
}

const OWNER: Principal = { by: "web", scopes: ALL_SCOPES };

/** The new token with its id. */
function issued(result: Awaited<ReturnType<Tokens["issue"]>>): { readonly id: string; readonly token: string } {
  check.that("body" in result, JSON.stringify(result));
  return result.body;
}

/** The fault with its reason. */
function refusal(result: Awaited<ReturnType<Tokens["issue"]>>): string {
  check.that("fault" in result, JSON.stringify(result));
  return `${result.fault}: ${result.reason}`;
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
  const host = { hasTimer: false, now: () => now, changed: () => void changes++, failed: () => {}, learnSecret: () => {} };
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

test("SE110 an issued token is returned once, works at once and after a restart, and only its digest is kept", async () => {
  const fixture = await TokensFixture.open();
  const wanted = { use: "intermediary", name: "overlay", scopes: ["watch"], names: ["overlay*"] } as const;
  const { id, token } = issued(await fixture.tokens.issue(wanted, OWNER));
  check.match(token, /^nr_[A-Za-z0-9_-]{43}$/);
  check.match(id, /^intermediary:overlay@[0-9a-f]{8}$/);
  check.equal([fixture.changes, fixture.accepts(token), fixture.secrets], [1, true, [token]]);
  const credential = credentialsOf(fixture.tokens.valid()).find(({ name }) => name === "overlay");
  check.equal([credential?.scopes, credential?.names], [["watch"], ["overlay*"]]);
  const listed = fixture.tokens.list().find((one) => one.id === id);
  check.equal([listed?.state, listed?.hashed, listed?.issued_at, listed?.expires_at], ["valid", true, fixture.now, null]);
  await fixture.tokens.close();
  check.that(!JSON.stringify([...fixture.store.entries, fixture.tokens.list()]).includes(token), "it is nowhere");
  const later = await TokensFixture.open(fixture.store);
  check.equal([later.changes, later.accepts(token)], [1, true]);
  check.equal(await later.tokens.revoke(id), { body: { status: "revoked" } });
  check.equal([later.accepts(token), later.valid.includes(id)], [false, false]);
  await later.tokens.close();
  const last = await TokensFixture.open(later.store);
  check.equal([last.accepts(token), last.store.entries.size], [false, 0], "nothing is left of it");
  await last.tokens.close();
});

test("SE110 an issued token expires", async () => {
  const fixture = await TokensFixture.open();
  const request = { use: "intermediary", name: "fan", scopes: ["watch"], expires_at: fixture.now + 60_000 } as const;
  const { id, token } = issued(await fixture.tokens.issue(request, OWNER));
  fixture.now += 59_999;
  fixture.tokens.expire();
  check.equal([fixture.accepts(token), fixture.changes], [true, 1]);
  fixture.now += 1;
  fixture.tokens.expire();
  check.equal([fixture.accepts(token), fixture.changes, fixture.stateOf(id)], [false, 2, "expired"]);
  await fixture.tokens.close();
  const later = new TokensFixture(fixture.store);
  later.now = fixture.now;
  await later.tokens.load(fixture.store);
  check.equal([later.stateOf(id), later.store.entries.size], [undefined, 0], "a restart forgets it");
  await later.tokens.close();
});

test("SE111 a rotated token has the rights of the former one, which stays valid for the overlap and no longer, also over a restart", async () => {
  const fixture = await TokensFixture.open();
  const first = issued(await fixture.tokens.rotate("intermediary:lamp", 60_000, OWNER));
  check.equal([fixture.accepts(LAMP), fixture.accepts(first.token)], [true, true]);
  const credentials = credentialsOf(fixture.tokens.valid()).filter(({ name }) => name === "lamp");
  check.equal(credentials.map(({ scopes, names }) => [scopes, names]), [[["integration"], ["lamp*"]], [["integration"], [
    "lamp*",
  ]]]);
  const [former] = fixture.tokens.list().filter(({ id }) => id === "intermediary:lamp");
  check.equal([former?.state, former?.expires_at], ["valid", fixture.now + 60_000]);
  await fixture.tokens.close();
  const later = await TokensFixture.open(fixture.store);
  check.equal(later.accepts(LAMP), true);
  later.now += 60_000;
  later.tokens.expire();
  check.equal([later.accepts(LAMP), later.stateOf("intermediary:lamp"), later.changes], [false, "revoked", 2]);
  const second = issued(await later.tokens.rotate(first.id, 0, OWNER));
  check.equal([later.accepts(first.token), later.accepts(second.token)], [false, true], "an issued one is rotated, too");
  check.equal(later.tokens.list().map(({ id }) => id).includes(first.id), false);
  const single = issued(await later.tokens.rotate("intermediary:intermediary", 0, OWNER));
  check.equal([later.accepts("a-token-for-all"), later.accepts(single.token)], [false, true]);
  const game = issued(await later.tokens.rotate("neuro:chess", 0, OWNER));
  const tokens = later.tokens.valid()["nakurity-backend"].tokens;
  check.equal(tokens.map(({ token, names }) => [token, names]), [[`sha256:${"0".repeat(64)}`, ["Chess*"]], [
    `sha256:${hashText(game.token)}`,
    ["Chess*"],
  ]]);
  await later.tokens.close();
});

test("SE112 a token is not issued or rotated, with the reason", async () => {
  const fixture = await TokensFixture.open();
  const { tokens } = fixture;
  const admin: Principal = { by: "admin", scopes: ["watch", "admin"] };
  const overlay = { use: "intermediary", name: "overlay", scopes: ["watch"] } as const;
  check.match(refusal(await tokens.issue({ ...overlay, scopes: ["link"] }, admin)), /^notAllowed: .* scope link/);
  check.match(refusal(await tokens.rotate("intermediary:lamp", 0, admin)), /^notAllowed: .* scope integration/);
  check.match(refusal(await tokens.issue({ ...overlay, scopes: [] }, OWNER)), /^badMessage: .* at least one scope/);
  check.match(refusal(await tokens.issue({ ...overlay, use: "neuro" }, OWNER)), /^badMessage/);
  check.match(refusal(await tokens.issue({ ...overlay, expires_at: fixture.now }, OWNER)), /^badMessage: .*past/);
  check.match(refusal(await tokens.issue({ ...overlay, name: "lamp" }, OWNER)), /^notNow: .*intermediary:lamp; rotate it/);
  check.match(refusal(await tokens.issue({ use: "brain", name: "b" }, OWNER)), /^notNow: this listener needs no token now/);
  check.match(refusal(await tokens.rotate("web:web", 0, OWNER)), /^notNow: .*change web.token/);
  check.match(refusal(await tokens.rotate("neuro:no", 0, OWNER)), /^notFound/);
  await tokens.revoke("neuro:chess");
  check.match(refusal(await tokens.rotate("neuro:chess", 0, OWNER)), /^notNow: neuro:chess is not valid any more/);
  fixture.store.gate = Promise.reject(new Error("the disk is full"));
  check.equal(refusal(await tokens.issue(overlay, OWNER)), "storageFailed: the disk is full");
  check.equal(fixture.valid, ["web:web", "intermediary:lamp", "intermediary:intermediary"]);
  fixture.store.gate = Promise.resolve();
  for (let at = 0; at < ISSUED_TOKENS_MAX; at++) issued(await tokens.issue({ ...overlay, name: `o${at}` }, OWNER));
  check.match(refusal(await tokens.issue(overlay, OWNER)), /^queueFull: 100 tokens are issued, and 100 are the most/);
  await tokens.close();
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

/** A token is issued and rotated, and is never said. */
async function rotateOverSockets(url: string, api: ApiClient, said: readonly string[]): Promise<void> {
  const fan = { use: "intermediary", name: "fan", scopes: ["integration"], names: ["fan"] };
  const made = await api.request<IssuedTokenView>("POST", "tokens", fan);
  const greet = async (token: string): Promise<JsonClient> => {
    const client = await JsonClient.open(url);
    return client.send({ type: "integration", name: "fan", auth_token: token, ack: true });
  };
  const before = await greet(made.token);
  check.equal((await before.next()).event, "registered");
  const path = `tokens/${encodeURIComponent(made.id)}/rotation`;
  const next = await api.request<IssuedTokenView>("POST", path, { overlap_ms: 0 });
  check.equal(await before.closed, 4401, "the connections of the former one are closed");
  check.equal((await (await greet(made.token)).next()).error, "invalid auth token");
  const after = await greet(next.token);
  check.equal((await after.next()).event, "registered");
  const everything = JSON.stringify([
    said,
    await api.request("GET", "tokens"),
    await api.request("GET", "audit"),
    await api.request("GET", "events?limit=1000"),
  ]);
  for (const { token } of [made, next]) {
    check.that(!everything.includes(token) && !everything.includes(hashText(token)), "no token in any log");
  }
  check.equal(await api.request("DELETE", `tokens/${encodeURIComponent(next.id)}`), { status: "revoked" });
  check.equal(await after.closed, 4401);
}

test("SE100 SE102 SE104 SE113 over sockets: hashed tokens open listeners for their names, and a revoked one closes its peers", () =>
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
      await rotateOverSockets(first.urls.intermediary ?? "", api(first.urls.web), said);
      for (const id of ["intermediary:lamp", "neuro:chess"]) await api(first.urls.web).request("DELETE", `tokens/${id}`);
      check.equal([await lamp.closed, await chess.closed], [4401, 4401]);
      const acts = await api(first.urls.web).request<{ items: { action: string; target: string }[] }>("GET", "audit");
      check.equal(acts.items.map(({ action, target }) => [action, target.replace(/@.*/, "")]), [
        ["revoke_token", "neuro:chess"],
        ["revoke_token", "intermediary:lamp"],
        ["revoke_token", "intermediary:fan"],
        ["rotate_token", "intermediary:fan"],
        ["issue_token", "intermediary:fan"],
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
