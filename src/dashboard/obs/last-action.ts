/** Neuro's last action, found in the feed of events. */
import type { Millis } from "../../core/ids.ts";
import type { FeedRow } from "../state/event-feed.ts";

/** An action stays visible this long after its last event. */
export const ACTION_MS: Millis = 15_000;
/** This many events are looked at, so that the cost does not grow with the feed. */
const ROWS_MAX = 400;

/** `running`: its result is not there yet. */
export interface LastAction {
  readonly name: string;
  readonly integration: string;
  readonly is: "running" | "succeeded" | "failed";
  readonly message: string;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The newest action that was sent or answered within `ACTION_MS`; undefined if there is none. */
export function lastAction(rows: readonly FeedRow[], now: Millis): LastAction | undefined {
  for (let at = rows.length - 1; at >= Math.max(0, rows.length - ROWS_MAX); at--) {
    const row = rows[at];
    if (row === undefined || now - row.at > ACTION_MS) return undefined;
    const { event } = row;
    if (event.event === "action_sent") {
      const [integration] = Array.isArray(event["to"]) ? event["to"] : [];
      return { name: text(event["name"]), integration: text(integration), is: "running", message: "" };
    }
    if (event.event === "action_result") {
      return {
        name: text(event["name"]),
        integration: text(event["from"]),
        is: event["success"] === true ? "succeeded" : "failed",
        message: text(event["message"]),
      };
    }
  }
  return undefined;
}
