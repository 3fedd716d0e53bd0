/** What is allowed, but worth a line at the start. */
import type { Settings } from "../core/settings.ts";
import { fields } from "./fields.ts";
import { isLoopback } from "../core/loopback.ts";
import { isPublic } from "./rules.ts";
import { writeAmount } from "./setting.ts";
import { type Tree, valueAt } from "./tree.ts";
import { readDuration, readSize } from "./units.ts";

export function warningsOf(settings: Settings, tree: Tree): readonly string[] {
  return [...ofTokens(settings), ...ofQueue(settings), ...ofCeilings(tree)];
}

function ofTokens({ intermediary, "nakurity-backend": backend, brain }: Settings): readonly string[] {
  const warnings: string[] = [];
  if (intermediary.enabled && isPublic(intermediary.auth_token)) {
    const what = intermediary.auth_token === "" ? "empty" : "the published one";
    warnings.push(`intermediary.auth_token is ${what}: every program on this machine can connect`);
  }
  for (const [name, { enabled, host, open }] of [["nakurity-backend", backend], ["brain", brain]] as const) {
    if (enabled && open && !isLoopback(host)) {
      warnings.push(`${name}.open: everyone who reaches ${host} can connect without a token`);
    }
  }
  return warnings;
}

function ofQueue({ intermediary: { relay_queue }, queue }: Settings): readonly string[] {
  if (relay_queue === undefined || !/\.pkl$/i.test(relay_queue)) return [];
  return [`intermediary.relay_queue: a pickle file is never read; the queue is kept in ${queue.path}/`];
}

/** Bounds that were lowered to what the relay can keep. */
function ofCeilings(tree: Tree): readonly string[] {
  return fields.flatMap(({ path, kind, most }) => {
    if (most === undefined) return [];
    const given = valueAt(tree, path);
    const amount = kind === "duration" ? readDuration(given) : kind === "size" ? readSize(given) : given;
    if (typeof amount !== "number" || amount <= most) return [];
    return [`${path.join(".")} is lowered to ${writeAmount(kind, most)}, the most there is`];
  });
}
