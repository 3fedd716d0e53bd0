/** Commands about one of several relays, and `doctor` about links. */
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { integrate, watch } from "../../conformance/clients.ts";
import { TOKENS } from "../../conformance/platform.ts";
import { freePort } from "../storage/backends.ts";
import { CliFolder, exitStatus, untilOutput } from "./cli-process.ts";

test(
  "CF57 CF58 RT88b queue, status and open are about the relay that --relay names; doctor reports what a link needs",
  async () => {
    const [intermediary, web] = [await freePort(), await freePort()];
    const configuration = (tokens: string) =>
      [
        `intermediary: {port: ${intermediary}, auth_token: ${TOKENS.intermediary}, tokens: [${tokens}]}`,
        "nakurity-backend: {enabled: false}",
        "brain: {enabled: false}",
        `web: {port: ${web}}`,
        "relays: {names: [show]}",
        "nakurity-client: {url: 'link:pc'}",
        "queue: {path: relay_message_queue}",
      ].join("\n");
    const place = await CliFolder.make({ "relay.yaml": configuration("") });
    try {
      check.match((await place.run(["doctor"])).out, /FAIL {2}upstream neuro at link:pc: no token has the scope link/);
      await place.write("relay.yaml", configuration("{name: pc, token: pc-token, scopes: [link]}"));
      check.match((await place.run(["doctor"])).out, /ok {4}upstream neuro at link:pc/);
      const relay = place.start([]);
      await untilOutput(relay, "stdout", /is ready/);
      check.match(
        (await place.run(["doctor"])).out,
        /FAIL {2}upstream neuro at link:pc: no link is connected; run `neuro-relay/,
      );
      const show = { urls: { intermediary: `ws://127.0.0.1:${intermediary}/r/show`, neuro: "", brain: "" } };
      await (await integrate(show, "lamp")).close();
      const client = await watch(show, "desk");
      client.send({ target: "lamp", cmd: { on: true }, request_id: "a" });
      await client.next(({ request_id }) => request_id === "a");
      const queued = async (...words: string[]) =>
        (await place.run(["queue", "list", ...words])).out.trim().split("\n").at(-1);
      check.equal([await queued(), await queued("--relay", "show")], ["0 queued, 0 dead", "1 queued, 0 dead"]);
      const { out } = await place.run(["status", "--relay", "show"]);
      check.match(out, /^1 connected, 1 known and offline\nrelay default: running\nrelay show: running$/m);
      check.match(
        (await place.run(["open", "--print", "--relay", "show"])).out,
        /^http:\/\/127\.0\.0\.1:\d+\/r\/show\/#token=/,
      );
      relay.kill("SIGTERM");
      await exitStatus(relay);
      check.equal([await queued(), await queued("--relay", "show")], ["0 queued, 0 dead", "1 queued, 0 dead"]);
      const wrong = await place.run(["queue", "list", "--relay", "a/b"]);
      check.equal(wrong.status, 2);
      check.match(wrong.errors, /expected 1 to 64 letters, digits/);
    } finally {
      await place.remove();
    }
  },
  { timeoutMs: 120_000 },
);
