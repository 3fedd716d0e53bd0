/** A message for Neuro that was answered `queued` survives a crash: the whole relay on virtual time. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { LimitStage, type Peer, settingsOf } from "../limits/stage.ts";

const SETTINGS = settingsOf(undefined, [
  "nakurity-client.url=ws://neuro.test",
  "dependency-authentication.neuro-os.auth_token=enhanced",
]);

const say = (watcher: Peer, payload: string): Peer => watcher.say({ direct_to_neuro: true, payload, request_id: payload });

const answerTo = (watcher: Peer, payload: string): string | undefined => {
  const [answer] = watcher.all(({ request_id }) => request_id === payload);
  return answer?.message.status ?? answer?.message.error;
};

/** Lets Neuro connect, and returns what it receives. */
async function told(stage: LimitStage): Promise<string> {
  const frames: string[] = [];
  stage.world.network.accept = () => (wire) => (wire.onFrame = (frame) => frames.push(String(frame)));
  await stage.pass(30_000);
  return frames.join("\n");
}

test("IM26a a message for Neuro that was answered queued survives a kill at that instant", async () => {
  const stage = await LimitStage.start(SETTINGS);
  const watcher = await stage.watcher({ token: "enhanced" });
  stage.world.disk.health = { ...stage.world.disk.health, delayMinMs: 300, delayMaxMs: 300 };
  say(watcher, "first");
  await stage.pass(200);
  check.equal(answerTo(watcher, "first"), undefined, "nothing is promised before it is stored");
  await stage.until(() => answerTo(watcher, "first") !== undefined, 10_000);
  check.equal(answerTo(watcher, "first"), "queued");
  stage.world.crash();
  await stage.world.started();
  const heard = await told(stage);
  check.equal(heard.split("first").length, 2, heard);
});

test("IM26a a message for Neuro that cannot be stored is refused, and never sent", async () => {
  for (const health of [{ fails: 1 }, { hangs: 1, hangMs: 60_000 }]) {
    const stage = await LimitStage.start(SETTINGS);
    const watcher = await stage.watcher({ token: "enhanced" });
    const { disk } = stage.world;
    const well = disk.health;
    disk.health = { ...well, ...health };
    say(watcher, "refused");
    await stage.until(() => answerTo(watcher, "refused") !== undefined, 10_000);
    check.equal(answerTo(watcher, "refused"), "queue unavailable");
    disk.health = well;
    say(watcher, "kept");
    const heard = await told(stage);
    check.equal([heard.includes("refused"), heard.includes("kept")], [false, true], heard);
  }
});

test("IM26a no queued message for Neuro is dropped; one that does not fit is refused", async () => {
  const stage = await LimitStage.start(SETTINGS);
  const watcher = await stage.watcher({ token: "enhanced" });
  for (let at = 0; at <= 200; at++) say(watcher, `message ${at}.`);
  await stage.pass(100);
  check.equal([answerTo(watcher, "message 199."), answerTo(watcher, "message 200.")], ["queued", "queue full"]);
  const heard = await told(stage);
  check.equal([heard.includes("message 0."), heard.includes("message 200.")], [true, false]);
});
