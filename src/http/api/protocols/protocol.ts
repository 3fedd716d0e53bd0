/** The shape of the protocol reference: channels with their messages. The AsyncAPI document and its page are made from it. */
import { z } from "zod";
import type { FaultName } from "../../../core/fault.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import type { ListenerName } from "../../../core/service.ts";

/** A message that the relay refuses, and the error that its author gets. */
export interface RefusedExample {
  readonly given: Json;
  readonly error: JsonObject;
}

/** One message of a protocol. */
export interface ProtocolMessage {
  /** Unique in the document. */
  readonly name: string;
  readonly summary: string;
  readonly schema: z.ZodType;
  readonly examples: readonly Json[];
  readonly refused?: readonly RefusedExample[];
  /** By default JSON. */
  readonly contentType?: string;
}

/** Where a channel is: a listener of the relay, a path of its web port, or a server that the relay dials. */
export type ChannelServer =
  | { readonly is: "listener"; readonly name: ListenerName }
  | { readonly is: "webPath"; readonly name: string; readonly path: string; readonly setting: string }
  | { readonly is: "dialed"; readonly name: string; readonly url: string; readonly setting: string };

/** What one kind of client, or a server that the relay dials, says and hears. */
export interface ProtocolChannel {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly server: ChannelServer;
  readonly toRelay: readonly ProtocolMessage[];
  readonly fromRelay: readonly ProtocolMessage[];
  /** The faults with which the relay closes its connections; none for a server that it dials. */
  readonly closes: readonly FaultName[];
}

/** The faults with which the relay closes a connection to any listener. */
export const CLOSES_OF_ALL: readonly FaultName[] = [
  "leaving",
  "badFrame",
  "rateLimit",
  "tooBig",
  "panic",
  "restarting",
  "tooManyPeers",
  "badToken",
];

// Why the cast: a value that was parsed from JSON is JSON.
export const json: z.ZodType<Json> = z.unknown().describe("Any JSON.") as z.ZodType<Json>;
export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.unknown()) as z.ZodType<JsonObject>;
