import { test } from "#runner";
import { DEFAULTS } from "../../src/core/defaults.ts";
import type { TokenSettings } from "../../src/core/settings.ts";
import { check } from "../harness/check.ts";
import { Desk, ENHANCED, SETTINGS, TOKEN } from "./intermediary-fixture.ts";

test("IM1 an integration that greets gets no reply; watchers and Neuro's side hear of it", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  const spotify = desk.integration("spotify");
  check.equal(desk.seen(spotify), []);
  check.equal(desk.events(watcher), [
    { event: "neuroos_connected", name: "watcher", privileges: "standard" },
    { event: "integration_connected", name: "spotify" },
  ]);
  check.equal(desk.tells, [{ is: "joined", peer: spotify, name: "spotify" }]);
  desk.close(spotify);
  check.equal(desk.events(watcher), [{ event: "integration_disconnected", name: "spotify" }]);
  check.equal(desk.tells.at(-1), { is: "left", peer: spotify });
});
