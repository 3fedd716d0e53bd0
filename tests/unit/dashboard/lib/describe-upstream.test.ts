import { test } from "#runner";
import { upstreamWord } from "../../../../src/dashboard/lib/describe-upstream.ts";
import { check } from "../../../harness/check.ts";

test("DB31 an upstream that is a link waits for it, while others connect", () => {
  check.equal(upstreamWord({ state: "dialing", url: "link:neuro" }), "waiting for a link");
  check.equal(upstreamWord({ state: "open", url: "link:neuro" }), "connected");
  check.equal(upstreamWord({ state: "dialing", url: "ws://127.0.0.1:8000" }), "connecting");
  check.equal(upstreamWord({ state: "standalone", url: null }), "relay decides");
});
