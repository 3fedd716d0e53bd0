/** What the pages for OBS derive from the feed and from their address. */
import { test } from "#runner";
import { relayNameOf, relayPath, rootOf, viewAt } from "../../../src/dashboard/lib/page-view.ts";
import { ACTION_MS, lastAction } from "../../../src/dashboard/obs/last-action.ts";
import { overlayVariables } from "../../../src/dashboard/obs/overlay-style.ts";
import { EventFeed } from "../../../src/dashboard/state/event-feed.ts";
import { check } from "../../harness/check.ts";

test("DB40 the last action is the newest one that was sent or answered, for 15 s", () => {
  const feed = new EventFeed();
  const last = (now: number) => lastAction(feed.rows, now);
  check.equal(last(0), undefined);
  feed.push({ event: "action_sent", action_id: "1", name: "move", to: ["Chess", "Poker"] }, 1_000);
  check.equal(last(1_000), { name: "move", integration: "Chess", is: "running", message: "" });
  feed.push({ event: "action_result", action_id: "1", name: "move", from: "Chess", success: false, message: "No." }, 2_000);
  feed.push({ event: "force_ended" }, 3_000);
  check.equal(last(3_000), { name: "move", integration: "Chess", is: "failed", message: "No." });
  check.equal(last(3_000 + ACTION_MS), undefined);
  feed.push({ event: "action_sent", name: 5, to: "x" }, 4_000);
  check.equal(last(4_000), { name: "", integration: "", is: "running", message: "" });
});

test("DB40 the fragment of the overlay's address sets its variables, and only those", () => {
  check.equal(overlayVariables("#token=t&accent=orange&size=&text=%23fff&background-image=x"), [
    ["--overlay-accent", "orange"],
    ["--overlay-text", "#fff"],
  ]);
  check.equal(overlayVariables(""), []);
  check.equal(overlayVariables(`#font=${"x".repeat(1_000)}`)[0]?.[1].length, 100);
});

test("DB40 DB41 the view is the last segment of the page's path, and the relay is above it", () => {
  check.equal(["/", "/overlay", "/r/show/dock/", "/r/overlay", "/r/dock/overlay"].map(viewAt), [
    "dashboard",
    "overlay",
    "dock",
    "dashboard",
    "overlay",
  ]);
  check.equal(["/", "/overlay", "/r/show/dock/", "/r/dock"].map(rootOf), ["/", "/", "/r/show/", "/r/dock/"]);
});

test("DB60 the path of another relay's page begins where this one's does", () => {
  for (
    const [path, name, other] of [
      ["/", "default", "/r/other/"],
      ["/r/show-1/", "show-1", "/r/other/"],
      ["/r/show-1", "show-1", "/r/other/"],
      ["/behind/a/proxy/r/show-1/dock", "show-1", "/behind/a/proxy/r/other/"],
      ["/behind/", "default", "/behind/r/other/"],
    ] as const
  ) check.equal([relayNameOf(path), relayPath(path, "other")], [name, other], path);
  check.equal(relayPath("/behind/r/show-1/", "default"), "/behind/");
});
