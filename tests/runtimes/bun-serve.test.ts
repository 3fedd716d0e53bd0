/** The relay on Bun, over real sockets. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { testSettings, withRelay } from "./bun-stage.ts";

test("RT1 every listener is bound, and says so, before the relay is ready", () =>
  withRelay(testSettings(), async ({ urls, lines, connect }) => {
    check.equal(lines.slice(0, 3), [
      `[Intermediary] listening on ${urls.intermediary}`,
      `[Nakurity Backend] listening on ${urls.neuro}`,
      `[Brain] listening on ${urls.brain}`,
    ]);
    check.match(lines[3] ?? "", /^\[Web\] listening on http:\/\/127\.0\.0\.1:\d+\/#token=web-token-of-the-tests$/);
    check.equal(lines.slice(4), ["No upstream: this relay plays Neuro itself (random)", "Neuro Relay is ready"]);
    for (const door of ["intermediary", "neuro", "brain"] as const) {
      const client = await connect(door);
      check.equal(await client.ask(`echo hello ${door}`), `hello ${door}`);
    }
  }));
