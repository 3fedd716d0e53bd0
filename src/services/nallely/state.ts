/** The state of the Nallely service. */
import type { Millis } from "../../core/ids.ts";
import type { Bridge } from "./bridge.ts";
import type { Drift } from "./session-state.ts";
import type { TrevorMachine } from "./trevor.ts";

export interface NallelyState {
  role: Role;
  phase: NallelyPhase;
}

/** The role of the service, which follows from the settings. */
export type Role = { readonly is: "disabled" } | { readonly is: "refused"; readonly reason: string } | ActiveRole;

export interface ActiveRole {
  readonly is: "active";
  readonly bridge: Bridge;
  /** Undefined without `nallely.trevor_url`. */
  readonly trevor: TrevorMachine | undefined;
  /** The last comparison of the session with the declaration since the link opened. */
  drift: Drift | undefined;
  /** The id of the command that asks for the next comparison. */
  driftRequest: string | undefined;
}

export type NallelyPhase =
  | { readonly is: "new" }
  | { readonly is: "running" }
  | { readonly is: "draining"; readonly until: Millis }
  | { readonly is: "drained" };
