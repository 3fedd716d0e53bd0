/** What HTTP, the command line and the dashboard may ask of the running relay. One path: `asked` in, `answer` out. */
import type { Json } from "./json.ts";
import type { RoomName } from "./room.ts";

/** One question; what its answer looks like stands with each. */
export type Question = RoomQuestion | IntermediaryQuestion | BrainQuestion;

/** What every room answers. */
export type RoomQuestion =
  /** `{ok, waits: string[]}`: is the room ready to do its work, and if not, why. */
  | { readonly of: RoomName; readonly get: "ready" }
  /** The room's own overview, as plain JSON. */
  | { readonly of: RoomName; readonly get: "status" };

/** Who is here, what waits for whom, and what a person may do about it. `after` is an id: answers come in pages. */
export type IntermediaryQuestion =
  | { readonly of: "intermediary"; readonly get: "peers" | "uploads" }
  /** Without `to`: how much waits for whom. */
  | { readonly of: "intermediary"; readonly get: "queue"; readonly to?: string; readonly after?: string }
  | { readonly of: "intermediary"; readonly get: "dead"; readonly after?: string }
  /** One entry or dead letter, with its body. */
  | { readonly of: "intermediary"; readonly get: "message"; readonly id: string }
  /** A dead letter goes to its recipient once more. */
  | { readonly of: "intermediary"; readonly get: "retry"; readonly id: string }
  | { readonly of: "intermediary"; readonly get: "drop"; readonly id: string }
  /** What a watcher's command does. */
  | { readonly of: "intermediary"; readonly get: "send"; readonly from: string; readonly to: string; readonly cmd: Json };

export type BrainQuestion =
  /** The record of the last prediction that was made under a trace id. */
  { readonly of: "brain"; readonly get: "prediction"; readonly trace_id: Json };
