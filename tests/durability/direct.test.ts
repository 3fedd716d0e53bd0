/** A message for Neuro that was answered `queued` survives a crash: the whole relay on virtual time. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { LimitFixture, type Peer, settingsOf } from "../limits/fixture.ts";

const SETTINGS = settingsOf(undefined, [
  "nakurity-client.url=ws://neuro.test",
  "dependency-authentication.neuro-os.auth_token=enhanced",
]);

const say = (watcher: Peer, payload: string): Peer =>
  watcher.sendJson({ direct_to_neuro: true, payload, request_id: payload });

const answerTo = (watcher: Peer, payload: string): string | undefined => {
  const [answer] = watcher.all(({ request_id }) => request_id === payload);
  return answer?.message.status ?? answer?.message.error;
};

/** Lets Neuro connect, and returns what it receives. */
async function sentToNeuro(fixture: LimitFixture): Promise<string> {
  const frames: string[] = [];
  fixture.simulation.network.accept = () => (socket) => (socket.onFrame = (frame) => frames.push(String(frame)));
  await fixture.advance(30_000);
  return frames.join("\n");
}

test("IM26a a message for Neuro that was answered queued survives a kill at that instant", async () => {
  const fixture = await LimitFixture.start(SETTINGS);
  const watcher = await fixture.watcher({ token: "enhanced" });
  fixture.simulation.disk.health = { ...fixture.simulation.disk.health, delayMinMs: 300, delayMaxMs: 300 };
  say(watcher, "first");
  await fixture.advance(200);
  check.equal(answerTo(watcher, "first"), undefined, "nothing is promised before it is stored");
  await fixture.until(() => answerTo(watcher, "first") !== undefined, 10_000);
  check.equal(answerTo(watcher, "first"), "queued");
  fixture.simulation.crash();
  await fixture.simulation.started();
  const sent = await sentToNeuro(fixture);
  check.equal(sent.split("first").length, 2, sent);
});

test("IM26a a message for Neuro that cannot be stored is refused, and never sent", async () => {
  for (const health of [{ fails: 1 }, { hangs: 1, hangMs: 60_000 }]) {
    const fixture = await LimitFixture.start(SETTINGS);
    const watcher = await fixture.watcher({ token: "enhanced" });
    const { disk } = fixture.simulation;
    const well = disk.health;
    disk.health = { ...well, ...health };
    say(watcher, "refused");
    await fixture.until(() => answerTo(watcher, "refused") !== undefined, 10_000);
    check.equal(answerTo(watcher, "refused"), "queue unavailable");
    disk.health = well;
    say(watcher, "kept");
    const sent = await sentToNeuro(fixture);
    check.equal([sent.includes("refused"), sent.includes("kept")], [false, true], sent);
  }
});

test("IM26a no queued message for Neuro is dropped; one that does not fit is refused", async () => {
  const fixture = await LimitFixture.start(SETTINGS);
  const watcher = await fixture.watcher({ token: "enhanced" });
  for (let at = 0; at <= 200; at++) say(watcher, `message ${at}.`);
  await fixture.advance(100);
  check.equal(answerTo(watcher, "message 199."), "queued");
  check.match(answerTo(watcher, "message 200.") ?? "", /^200 of your contexts wait for Neuro already/);
  const sent = await sentToNeuro(fixture);
  check.equal([sent.includes("message 0."), sent.includes("message 200.")], [true, false]);
});
