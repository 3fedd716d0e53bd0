/** Addresses of views. */
import { test } from "#runner";
import { formatRoute, linkTo, type PageRoute, parseRoute, START } from "../../../../src/dashboard/lib/route.ts";
import { check } from "../../../harness/check.ts";

test("DB34 every view has an address, from which it is read again", () => {
  const routes: readonly PageRoute[] = [
    START,
    { panel: "feed", item: "", params: {} },
    { panel: "integration", item: "a/b?c#d e%", params: {} },
    { panel: "now", item: "", params: { sort: "failed", find: "x&y=z" } },
    { panel: "traces", item: "", params: { trace_kind: "force", trace_of: "chess", by_trace: "-time" } },
    { panel: "queue", item: "", params: { kinds: "actions", integration: "Poker Night", text: "ü" } },
  ];
  for (const route of routes) check.equal(parseRoute(formatRoute(route)), route);
  check.equal([formatRoute(START), linkTo("now")], ["", "#/now"]);
});

test("DB34 an address that nobody here wrote opens a view, and nothing else", () => {
  for (
    const fragment of [
      "#token=x",
      "#",
      "#/",
      "#/%",
      "#//x",
      "#/<img>",
      "#/constructor/__proto__",
      `#/feed/${"%41".repeat(5_000)}`,
    ]
  ) {
    const { panel, item, params } = parseRoute(fragment);
    check.that(/^[a-z_-]{1,40}$/.test(panel) && item.length <= 300, fragment);
    check.equal(Object.keys(params), []);
  }
  check.equal(parseRoute("#/feed?text=" + "x".repeat(9_000)).params.text?.length, 300);
  check.equal(parseRoute("#/feed?__proto__=1&other=2&sort=name").params, { sort: "name" });
});
