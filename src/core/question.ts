/** What HTTP, the command line and the dashboard may ask of the running relay. One path: `asked` in, `answer` out. */
import type { RoomName } from "./room.ts";

export type Question =
  /** `{ok, waits: string[]}`: is the room ready to do its work, and if not, why. */
  | { readonly of: RoomName; readonly get: "ready" }
  /** The room's own overview, as plain JSON. */
  | { readonly of: RoomName; readonly get: "status" };
