/** The lines that a relay prints when it is ready. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { listenersOf, readyLines } from "../../../src/runtimes/listeners.ts";
import { check } from "../../harness/check.ts";

function webLine(configured: string, isTerminal: boolean, host = "127.0.0.1"): string {
  const settings = { ...DEFAULTS, web: { ...DEFAULTS.web, token: configured, host } };
  const services = ["intermediary", "neuro", "brain"] as const;
  const bound = listenersOf(settings, services).map((listener) => ({ ...listener, url: `http://${listener.host}:1` }));
  const lines = readyLines(settings, { bound, services, webToken: configured || "generated", isTerminal });
  return lines.find((line) => line.startsWith("[Web]")) ?? "";
}

test("SE17 a configured web token is printed only to a terminal, a generated one always, and both only on loopback", () => {
  check.equal(webLine("configured", false), "[Web] listening on http://127.0.0.1:1");
  check.equal(webLine("configured", true), "[Web] listening on http://127.0.0.1:1/#token=configured");
  check.equal(webLine("", false), "[Web] listening on http://127.0.0.1:1/#token=generated");
  for (const isTerminal of [true, false]) {
    check.equal(webLine("configured", isTerminal, "0.0.0.0"), "[Web] listening on http://0.0.0.0:1");
    check.equal(webLine("", isTerminal, "0.0.0.0"), "[Web] listening on http://0.0.0.0:1");
  }
});
