/** The store of the dashboard, stepped in virtual time. */
import { test } from "#runner";
import { ApiError } from "../../../../src/clients/api-client.ts";
import type { Json } from "../../../../src/core/json.ts";
import { isDisconnected, lostSince, type TokenRefusal } from "../../../../src/dashboard/state/dashboard-state.ts";
import { pageTitle } from "../../../../src/dashboard/state/page-title.ts";
import { check } from "../../../harness/check.ts";
import { failure, RELAY_AHEAD_MS, StoreFixture } from "./store-fixture.ts";

test("DB3 a token is tried, and kept once it is given", async () => {
  const page = new StoreFixture();
  page.store.start();
  check.equal(page.store.state.session, { is: "signed_out", refusal: undefined });
  await page.clock.advance(10_000);
  check.equal([page.takeRequests(), page.sockets.length], [[], 0]);
  page.store.signIn("secret");
  check.equal([page.store.state.session.is, page.token], ["signing_in", "secret"]);
  page.socket.accept();
  const [greeting, subscription] = page.socket.sent;
  check.equal([greeting?.type, greeting?.auth_token], ["neuro-os", "secret"]);
  check.equal(subscription, { subscribe: { after: "0", rate: 1_000, changes: true }, request_id: "subscribed" });
  check.equal(page.store.state.events, { is: "open" });
  await page.clock.advance(200);
  check.equal(page.store.state.session, { is: "signed_in" });
  check.equal(page.store.relayNow(), page.clock.now + RELAY_AHEAD_MS);
});

test("DB3 the token of the tab signs in when the page is loaded again", async () => {
  const page = new StoreFixture("of this tab");
  page.store.start();
  page.socket.accept();
  check.equal(page.socket.sent[0]?.auth_token, "of this tab");
  await page.clock.advance(200);
  check.equal(page.store.state.session, { is: "signed_in" });
});

test("DB3b a token that the relay refuses is forgotten, and no further request is sent", async () => {
  const refusals: readonly (readonly [refuse: (page: StoreFixture) => void, refusal: TokenRefusal])[] = [
    [(page) => page.socket.refuse("invalid auth token"), "invalid"],
    [(page) => page.socket.refuse("not allowed"), "not_allowed"],
    [(page) => void page.replies.set("overview", failure(401)), "invalid"],
    [(page) => void page.replies.set("overview", failure(403)), "not_allowed"],
  ];
  for (const [refuse, refusal] of refusals) {
    const page = new StoreFixture();
    page.store.start();
    page.store.signIn("wrong");
    refuse(page);
    await page.clock.advance(1_000);
    check.equal(page.store.state.session, { is: "signed_out", refusal });
    check.equal([page.token, page.socket.isClosed], [undefined, true]);
    page.takeRequests();
    await page.clock.advance(60_000);
    check.equal([page.takeRequests(), page.sockets.length], [[], 1]);
  }
});

test("DB3c signing out forgets everything that the token gave access to", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.event("1");
  check.that(page.store.state.overview !== undefined && page.store.feed.total === 1);
  page.store.signOut();
  const { session, overview, integrations, resources } = page.store.state;
  check.equal([session, overview, integrations, resources.size], [
    { is: "signed_out", refusal: undefined },
    undefined,
    undefined,
    0,
  ]);
  check.equal([page.store.feed.rows.length, page.token], [0, undefined]);
});

test("DB3c signing out ends the attempts to reconnect", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.socket.lose();
  page.store.signOut();
  await page.clock.advance(60_000);
  check.equal(page.sockets.length, 1);
});

test("DB3c a reply to a request with an earlier token changes nothing", async () => {
  const page = new StoreFixture();
  const late = Promise.withResolvers<Json>();
  page.replies.set("overview", () => late.promise);
  page.store.start();
  page.store.signIn("first");
  await page.clock.advance(200);
  page.store.signIn("second");
  page.replies.set("overview", () => page.overview({ version: "second" }));
  await page.clock.advance(200);
  check.equal(page.store.state.overview?.version, "second");
  late.resolve(page.overview({ version: "first" }));
  await page.clock.advance(1);
  check.equal(page.store.state.overview?.version, "second");
});

test("DB3c a request that fails after signing out changes nothing", async () => {
  for (const path of ["overview", "integrations/chess"]) {
    for (const end of ["resolve", "reject"] as const) {
      const page = new StoreFixture();
      await page.signIn();
      page.store.viewResource("integrations/chess");
      const late = Promise.withResolvers<Json>();
      page.replies.set(path, () => late.promise);
      page.changed("neuro");
      await page.clock.advance(5_000);
      page.store.signOut();
      const { state } = page.store;
      if (end === "resolve") late.resolve(path === "overview" ? page.overview() : { id: "chess" });
      else late.reject(new ApiError("refused", { status: 401 }));
      await page.clock.advance(1);
      check.that(page.store.state === state, `${path} ${end}`);
    }
  }
});

test("DB14 DB14b a lost connection is shown, reconnects with backoff and resumes after the last event", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.event("gap", { event: "gap", missed: null });
  page.event("1");
  const lostAt = page.clock.now;
  page.socket.lose();
  check.equal([page.store.state.events, isDisconnected(page.store.state)], [{ is: "lost", since: lostAt }, true]);
  check.match(pageTitle(page.store.state), /^Disconnected/);
  for (const delay of [150, 300, 600, 1_200, 2_400, 2_500]) {
    const attempts = page.sockets.length;
    await page.clock.advance(delay - 1);
    check.equal(page.sockets.length, attempts, `no attempt before ${delay} ms`);
    await page.clock.advance(1);
    check.equal(page.sockets.length, attempts + 1, `an attempt after ${delay} ms`);
    check.equal(page.store.state.events, { is: "reconnecting", since: lostAt });
    page.socket.lose();
  }
  check.equal(lostSince(page.store.state), lostAt);
  await page.clock.advance(5_000);
  page.socket.accept();
  check.equal(page.socket.sent[1]?.["subscribe"], { after: "1", rate: 1_000, changes: true });
  page.event("2");
  check.equal(page.store.feed.rows.map(({ event }) => event.id), ["1", "2"]);
  check.equal([page.store.state.events, isDisconnected(page.store.state)], [{ is: "open" }, false]);
  page.sockets[0]?.reply({ event: "add_context", id: "late" });
  check.equal(page.store.feed.rows.length, 2, "a replaced connection is ignored");
  const attempts = page.sockets.length;
  await page.clock.advance(5_000);
  page.socket.lose();
  await page.clock.advance(150);
  check.equal(page.sockets.length, attempts + 1, "the backoff starts again after 5 s of a stable connection");
});

test("DB14 a lost connection is retried at once when the page becomes visible", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.setVisible(false);
  page.socket.lose();
  page.setVisible(true);
  check.equal([page.sockets.length, page.store.state.events.is], [2, "reconnecting"]);
  await page.clock.advance(10_000);
  check.equal(page.sockets.length, 2, "the attempt of the backoff is cancelled");
});

test("DB14b events before the reply to the subscription are left out, because they are sent again", async () => {
  const page = new StoreFixture();
  page.store.start();
  page.store.signIn("secret");
  page.socket.open();
  page.event("1");
  page.socket.accept();
  page.event("1");
  check.equal(page.store.feed.total, 1);
  page.socket.lose();
  await page.clock.advance(1_000);
  page.socket.open();
  page.event("2");
  page.socket.accept();
  page.event("2");
  check.equal(page.store.feed.total, 2);
});

test("DB14c a silent connection is pinged after 8 s and replaced after 20 s", async () => {
  const page = new StoreFixture();
  await page.signIn();
  const silent = page.socket;
  silent.repliesToPings = false;
  await page.clock.advance(12_000);
  check.equal(silent.sent.at(-1), { query: "peers", request_id: "ping" });
  silent.reply({ request_id: "ping" });
  await page.clock.advance(16_000);
  check.equal(silent.isClosed, false);
  await page.clock.advance(8_000);
  check.equal(silent.isClosed, true);
  check.equal(page.sockets.length, 2);
});

test("DB14c two requests without an answer replace the live connection, and a later one clears the error", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.replies.set("overview", failure(0, "no relay answers"));
  page.changed("neuro");
  await page.clock.advance(1_000);
  check.equal([page.store.state.requestError, page.sockets.length], ["no relay answers", 1]);
  await page.clock.advance(6_000);
  check.equal([page.sockets[0]?.isClosed, page.sockets.length], [true, 2]);
  page.replies.set("overview", () => page.overview());
  page.socket.accept();
  await page.clock.advance(1_000);
  check.equal([page.store.state.requestError, page.store.state.events.is], [undefined, "open"]);
  for (const reply of [failure(0), () => page.overview(), failure(0)]) {
    page.replies.set("overview", reply);
    page.changed("neuro");
    await page.clock.advance(1_100);
  }
  check.equal(page.sockets.length, 2, "two failures with an answer between them mean nothing");
});

test("DB14d without an Intermediary only failing requests mean that the relay is gone", async () => {
  const page = new StoreFixture();
  page.replies.set("overview", () => page.overview({ services: {} }));
  page.store.start();
  page.store.signIn("secret");
  page.socket.lose();
  await page.clock.advance(1_000);
  check.equal(isDisconnected(page.store.state), false);
  page.replies.set("queue", failure(404));
  page.store.viewResource("queue");
  await page.clock.advance(1_000);
  check.equal([...page.store.state.resources], [["queue", null]]);
  check.equal(isDisconnected(page.store.state), false);
  page.replies.set("overview", failure(0));
  await page.clock.advance(6_000);
  check.equal(isDisconnected(page.store.state), true);
});

test("DB26 while the relay reports changes it is asked once a second, otherwise every thirty", async () => {
  const page = new StoreFixture();
  await page.signIn();
  await page.clock.advance(60_000);
  check.that(Math.abs(page.takeRefreshes() - 2) <= 1);
  await page.clock.advance(2_500); // Why: a change long after the last refresh must not be postponed by the next changes.
  page.takeRequests();
  for (let second = 0; second < 60; second++) {
    for (let burst = 0; burst < 10; burst++) {
      page.changed("neuro");
      await page.clock.advance(100);
    }
  }
  const refreshes = page.takeRefreshes();
  check.that(refreshes >= 55 && refreshes <= 60, `${refreshes} refreshes in 60 s`);
});

test("DB26 while live events are away it is asked for everything every five seconds", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.store.viewResource("queue");
  page.socket.lose();
  await page.clock.advance(1_000);
  page.takeRequests();
  await page.clock.advance(50_000);
  const requests = page.takeRequests();
  for (const path of ["overview", "integrations?limit=1000", "queue"]) {
    const count = requests.filter((request) => request === `GET ${path}`).length;
    check.that(Math.abs(count - 10) <= 1, `${count} times ${path} in 50 s`);
  }
});

test("DB26e only what shows a service that changed is read again, and what no service reports every five seconds", async () => {
  const page = new StoreFixture();
  await page.signIn();
  for (const path of ["queue", "traces?limit=100", "brain/sessions/a", "tokens"]) page.store.viewResource(path);
  await page.clock.advance(1_200);
  const requests = async (run: () => void) => {
    page.takeRequests();
    run();
    await page.clock.advance(1_200);
    return page.takeRequests().map((request) => request.replace("GET ", "")).filter((path) => path !== "tokens");
  };
  check.equal(await requests(() => page.changed("brain")), ["overview", "brain/sessions/a"]);
  check.equal(await requests(() => page.changed("intermediary")), ["overview", "queue", "traces?limit=100"]);
  check.equal(await requests(() => page.event("1")), [], "an event alone is no change");
  check.equal(await requests(() => page.store.viewResource("audit")), ["audit"]);
  await page.clock.advance(30_000);
  page.takeRequests();
  await page.clock.advance(20_000);
  const polled = page.takeRequests();
  check.that(polled.filter((request) => request === "GET tokens").length >= 3);
  check.that(polled.filter((request) => request !== "GET tokens").length <= 6, "the others at most once more");
});

test("DB26e a reply that the relay says is unchanged is the one before", async () => {
  const page = new StoreFixture();
  page.replies.set("queue", () => ({ items: [{ id: "1", at: page.clock.now }] }));
  await page.signIn();
  page.store.viewResource("queue");
  await page.clock.advance(200);
  const { overview, resources } = page.store.state;
  page.isUnchanged = true;
  page.store.refreshNow();
  await page.clock.advance(200);
  check.that(page.store.state.overview === overview && page.store.state.resources === resources);
  check.that(page.takeRequests().includes("GET queue"));
});

test("DB26d the list of integrations is read every three seconds while only counters change, and at once when one joins", async () => {
  const page = new StoreFixture();
  const integration = (id: string, actions: number) => ({ id, counts: { actions, contexts: 0, forces: 0 } });
  page.replies.set("integrations", () => ({ items: [integration("chess", 1), integration("poker", page.clock.now)] }));
  await page.signIn();
  const lists = () => page.takeRequests().filter((request) => request.startsWith("GET integrations")).length;
  for (let second = 0; second < 30; second++) {
    page.event(String(second), { event: "add_context", message: "x" });
    page.changed("neuro");
    await page.clock.advance(1_000);
  }
  const read = lists();
  check.that(read >= 7 && read <= 10, `${read} lists in 30 s`);
  await page.clock.advance(3_500);
  const [chess, poker] = page.store.state.integrations ?? [];
  page.takeRequests();
  page.event("a", { event: "integration_connected", name: "jukebox" });
  page.changed("neuro");
  await page.clock.advance(1_000);
  check.equal(lists(), 1);
  const [sameChess, otherPoker] = page.store.state.integrations ?? [];
  check.that(chess !== undefined && chess === sameChess && poker !== otherPoker, "what did not change keeps its identity");
});

test("DB26b no request is sent while the page is hidden, and one at once when it becomes visible", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.setVisible(false);
  for (let second = 0; second < 60; second++) {
    page.event(String(second));
    page.changed("neuro");
    await page.clock.advance(1_000);
  }
  check.equal(page.takeRefreshes(), 0);
  check.equal(page.store.feed.total, 60);
  page.setVisible(true);
  await page.clock.advance(200);
  check.equal(page.takeRefreshes(), 1);
});

test("DB26 an operator's action is followed by a refresh, also while one is running", async () => {
  const page = new StoreFixture();
  await page.signIn();
  await page.store.send("PATCH", "controls", { stopped: true });
  await page.clock.advance(200);
  check.equal(page.takeRequests().slice(0, 2), ["PATCH controls", "GET overview"]);
  const slow = Promise.withResolvers<Json>();
  page.replies.set("overview", () => slow.promise);
  page.changed("neuro");
  await page.clock.advance(5_000);
  check.equal(page.takeRefreshes(), 1);
  await page.store.send("PATCH", "controls", { stopped: false });
  await page.clock.advance(500);
  check.equal(page.takeRefreshes(), 0, "one refresh at a time");
  page.replies.set("overview", () => page.overview());
  slow.resolve(page.overview());
  await page.clock.advance(200);
  check.equal(page.takeRefreshes(), 1);
});

test("DB26b resources are read only while they are visible", async () => {
  const page = new StoreFixture();
  page.replies.set("integrations/chess", () => ({ id: "chess", name: "Chess" }));
  page.replies.set("integrations/gone", failure(404));
  await page.signIn();
  const [chess, gone] = ["integrations/chess", "integrations/gone"];
  const close = [chess, chess, gone, "queue?limit=500"].map((path) => page.store.viewResource(path));
  await page.clock.advance(200);
  check.equal(page.takeRequests(), [
    "GET integrations/chess",
    "GET integrations/gone",
    "GET queue?limit=500",
  ]);
  check.equal([...page.store.state.resources], [
    [chess, { id: "chess", name: "Chess" }],
    [gone, null],
    ["queue?limit=500", { items: [], next: null }],
  ]);
  close[0]?.();
  close[2]?.();
  page.store.refreshNow();
  await page.clock.advance(200);
  check.equal(page.takeRequests().slice(2), ["GET integrations/chess", "GET queue?limit=500"]);
  close[1]?.();
  close[3]?.();
  page.store.refreshNow();
  await page.clock.advance(200);
  check.equal(page.takeRequests(), ["GET overview", "GET integrations?limit=1000"]);
});

test("DB26c what did not change keeps its identity, so that nothing is drawn again", async () => {
  const page = new StoreFixture();
  page.replies.set("integrations/chess", () => ({ id: "chess", name: "Chess" }));
  await page.signIn();
  page.replies.set("queue", () => ({ at: page.clock.now }));
  page.store.viewResource("integrations/chess");
  await page.clock.advance(200);
  const { integrations, resources } = page.store.state;
  check.equal(resources.size, 1);
  await page.clock.advance(20_000);
  check.that(page.store.state.integrations === integrations && page.store.state.resources === resources);
  page.store.viewResource("queue");
  await page.clock.advance(20_000);
  const { resources: changed } = page.store.state;
  check.that(changed !== resources && changed.get("integrations/chess") === resources.get("integrations/chess"));
});

test("DB33b a change on the basis of older controls is made again on the basis of the current ones, at most three times", async () => {
  const page = new StoreFixture();
  await page.signIn();
  const path = "integrations/chess";
  let others = 1;
  const outdated = failure(412, "changed", "outdated");
  const reply = (method: string): Json => method === "PATCH" && others-- > 0 ? outdated() : { always_allowed: ["move"] };
  page.replies.set(path, reply);
  page.tags.set(path, '"a-1"');
  const add = () =>
    page.store.change<{ readonly always_allowed: readonly string[] }>(
      path,
      ({ always_allowed: names }) => ({ always_allowed: [...names, "resign"] }),
    );
  const ofPath = () => page.takeRequests().filter((request) => request.includes(path));
  check.equal((await add()).ok, true);
  const once = [`GET ${path}`, `PATCH ${path} if "a-1"`];
  check.equal([ofPath(), page.store.state.toasts], [[...once, ...once], []]);
  others = Infinity;
  check.equal(await add(), { ok: false, error: "changed" });
  check.equal(ofPath(), [...once, ...once, ...once]);
});

test("DB26 a failed command is returned and shown for six seconds; at most four toasts are shown", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.replies.set("controls", failure(409, "not now"));
  check.equal(await page.store.send("PATCH", "controls", {}), { ok: false, error: "not now" });
  check.equal(page.store.state.toasts.map(({ tone, text }) => [tone, text]), [["bad", "not now"]]);
  await page.clock.advance(6_000);
  check.equal(page.store.state.toasts, []);
  for (let count = 1; count <= 6; count++) page.store.showToast("good", String(count));
  check.equal(page.store.state.toasts.map(({ text }) => text), ["3", "4", "5", "6"]);
  page.store.dismissToast(page.store.state.toasts[0]?.id ?? 0);
  check.equal(page.store.state.toasts.map(({ text }) => text), ["4", "5", "6"]);
});

test("DB21 events and the relay's counters make the rates, also of each integration", async () => {
  const page = new StoreFixture();
  const counted = (actions: number): Json => ({
    items: [{ id: "chess", counts: { actions, failures: 0, contexts: 0, forces: 0, result_ms: 0 } }],
    next: null,
  });
  page.replies.set("integrations", () => counted(0));
  await page.signIn();
  page.event("1");
  page.event("2", { event: "gap", missed: 4 });
  await page.clock.advance(1_000);
  check.equal(page.store.traffic.events.series(page.clock.now, 2).reduce((sum, count) => sum + count), 5);
  page.replies.set("integrations", () => counted(10));
  page.changed("neuro");
  await page.clock.advance(6_000);
  const seconds = (counts: { series(now: number, length: number): number[] } | undefined): number =>
    Math.round(counts?.series(page.store.relayNow(), 20).reduce((sum, count) => sum + count) ?? 0);
  check.equal([seconds(page.store.traffic.actions), seconds(page.store.traffic.integration("chess"))], [10, 10]);
});

test("DB24 the last values that the relay exchanged with Nallely are kept", async () => {
  const page = new StoreFixture();
  let value = 0;
  const services = () => ({ neuro: {}, intermediary: {}, nallely: { outputs: { mood: ++value }, inputs: { speed: 7 } } });
  page.replies.set("overview", () => page.overview({ services: services() }));
  await page.signIn();
  for (let second = 0; second < 5; second++) {
    page.changed("nallely");
    await page.clock.advance(1_000);
  }
  check.equal([...page.store.nallelyValues.of("out mood")].slice(0, 3), [1, 2, 3]);
  check.equal(page.store.nallelyValues.of("in speed")[0], 7);
  page.store.signOut();
  check.equal(page.store.nallelyValues.of("out mood"), []);
});

test("DB26 the relay's clock is shown to the second, while the page is visible", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.replies.set("overview", () => Promise.withResolvers<Json>().promise);
  await page.clock.advance(10_000);
  check.that(page.clock.now + RELAY_AHEAD_MS - page.store.state.now < 1_000);
});

test("DB13 the chosen theme is kept, also after signing in", async () => {
  const page = new StoreFixture();
  for (const theme of ["dark", "light", "system", "dark"] as const) {
    page.store.switchTheme();
    check.equal([page.store.state.theme, page.preferences.get("theme")], [theme, theme]);
  }
  await page.signIn();
  check.equal(page.store.state.theme, "dark");
});

test("DB34 the address is the view: a new page shows the same, and the browser's button goes back", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.store.openPanel("feed");
  page.store.setParams({ kinds: "actions,problems", text: "e4 & more" });
  page.store.openPanel("integration", "chess/2");
  check.equal(page.history, [
    "",
    "#/feed?kinds=actions%2Cproblems&text=e4+%26+more",
    "#/integration/chess%2F2?kinds=actions%2Cproblems&text=e4+%26+more",
  ]);
  const other = new StoreFixture(undefined, { fragment: page.history.at(-1) ?? "" });
  check.equal(other.store.state.route, page.store.state.route);
  check.equal([[...other.store.feed.filter.categories], other.store.feed.filter.text], [
    ["actions", "problems"],
    "e4 & more",
  ]);
  page.goBack();
  check.equal([page.store.state.route.panel, page.store.state.route.item], ["feed", ""]);
  page.goBack();
  check.equal([page.store.state.route.panel, page.store.feed.filter.text], ["now", ""]);
  await page.signIn();
  check.equal(page.store.state.route.panel, "now");
});

test("DB34 a view is saved under a name, kept, and removed; stored views of another form are ignored", () => {
  const page = new StoreFixture();
  page.store.openPanel("queue");
  page.store.saveView("Mine");
  page.store.openPanel("audit");
  page.store.saveView("Mine");
  page.store.saveView("Other");
  check.equal(page.store.state.savedViews.map(({ name, fragment }) => [name, fragment]), [
    ["Mine", "#/audit"],
    ["Other", "#/audit"],
  ]);
  const views = page.preferences.get("views") ?? "";
  const later = new StoreFixture(undefined, { views });
  check.equal(later.store.state.savedViews, page.store.state.savedViews);
  later.store.removeView("Mine");
  check.equal(later.store.state.savedViews.map(({ name }) => name), ["Other"]);
  for (const broken of ["", "{", "[1,{}]", `[{"name":1,"fragment":"#/now"}]`]) {
    check.equal(new StoreFixture(undefined, { views: broken }).store.state.savedViews, []);
  }
  const [evil] =
    new StoreFixture(undefined, { views: `[{"name":"x","fragment":"javascript:alert(1)"}]` }).store.state.savedViews;
  check.equal(evil?.fragment, "");
});

test("DB33 an action that nobody approved in time is named until somebody has seen it", async () => {
  const page = new StoreFixture();
  const pending = { id: "7", action: "move", names: ["Chess"], is: "approval", since: 0, deadline: 1, to: ["chess"] };
  const neuro = { controls: { stopped: false, approval: true }, upstreams: [{ pending: [pending] }] };
  page.replies.set("overview", () => page.overview({ services: { neuro, intermediary: {} } }));
  await page.signIn();
  page.event("1", { event: "action_expired", action_id: "8", name: "wave", to: ["Chess"] });
  page.event("2", { event: "action_expired", action_id: "7", name: "move", to: ["Chess"] });
  await page.clock.advance(60_000);
  check.equal(page.store.state.toasts.map(({ text }) => text), ["Nobody approved move of Chess in time."]);
});

test("DB26 a store that is stopped does nothing any more", async () => {
  const page = new StoreFixture();
  await page.signIn();
  page.store.showToast("good", "still there");
  const { state } = page.store;
  check.that(page.leftovers > 0);
  page.store.stop();
  check.equal(page.socket.isClosed, true);
  page.socket.reply({ event: "add_context", id: "9" });
  page.socket.lose();
  page.setVisible(true);
  await page.clock.advance(600_000);
  check.equal([page.takeRequests(), page.sockets.length, page.leftovers], [[], 1, 0]);
  check.that(page.store.state === state);
});
