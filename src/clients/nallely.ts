/**
 * Clients for a Nallely session: neurons and Trevor.
 *
 * Runs on Bun, Deno, Workers, Node and in browsers. `src/services/nallely/README.md` has examples.
 *
 * @module
 */
export {
  BUS_URL,
  type InputOf,
  Neuron,
  type NeuronEvent,
  type NeuronMetrics,
  type NeuronName,
  type NeuronOptions,
  type NeuronSettings,
  type OutputOf,
  unregisterByPath,
} from "./neuron.ts";
export { NeuronGroup, type NeuronGroupOptions } from "./neuron-group.ts";
export { Trevor, TREVOR_URL, type TrevorEvent, type TrevorMetrics, type TrevorOptions } from "./trevor.ts";
export { ClosedError, RefusedError, TrevorError } from "./nallely-error.ts";
export type { ClientClock, DriverOptions, OpenSocket, SocketLike } from "../websocket-client/socket-driver.ts";
export type { KeepaliveOptions, LinkPhase } from "../core/link.ts";
export type { IterateOptions, ValueIterator, ValueListener } from "./value-stream.ts";
export { type WaitOptions, WaitTimeoutError } from "./wait-until.ts";
export {
  clamp,
  type Declaration,
  type Direction,
  type NeuronDeclaration,
  type OfflinePolicy,
  type ParameterDeclaration,
  queue,
  type Range,
  scale,
} from "../services/nallely/mod.ts";
export { decodeFrame, encodeFrame, type FrameError, frameHead } from "../services/nallely/mod.ts";
export { checkNeuronName, checkParameterName } from "../services/nallely/mod.ts";
export type { RuleName, RuleViolation } from "../services/nallely/mod.ts";
export {
  busIdOf,
  type Connection,
  connectionsOf,
  devicePath,
  devicesOf,
  type Drift,
  hasDrift,
  neuronPath,
  proxyOf,
  type SessionState,
  type VirtualDevice,
  type VirtualParameter,
} from "../services/nallely/mod.ts";
export type { CommandName, CommandParams, CommandReply, Commands } from "../services/nallely/mod.ts";
