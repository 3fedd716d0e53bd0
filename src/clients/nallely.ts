/**
 * Everything for a program that joins a Nallely session: neurons, Trevor, and what helps with both.
 *
 * Runs on Bun, Deno, Workers, Node and in the browser. `src/services/nallely/README.md` shows how it is used.
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
export { Neurons, type NeuronsOptions } from "./neurons.ts";
export { Trevor, TREVOR_URL, type TrevorEvent, type TrevorMetrics, type TrevorOptions } from "./trevor.ts";
export { ClosedError, LateError, RefusedError, TrevorError } from "./nallely-error.ts";
export type { Clock, DriverOptions, OpenSocket, SocketLike } from "./nallely-driver.ts";
export type { IterateOptions, Listener, ValueIterator } from "./nallely-stream.ts";
export type { WaitOptions } from "./nallely-wait.ts";
export {
  type AwayPolicy,
  clamp,
  type Declaration,
  type Direction,
  type NeuronDeclaration,
  type ParameterDeclaration,
  queue,
  type Range,
  scale,
} from "../services/nallely/mod.ts";
export { decodeFrame, encodeFrame, type FrameFlaw, frameHead } from "../services/nallely/mod.ts";
export { checkNeuronName, checkParameterName } from "../services/nallely/mod.ts";
export type { Refusal, Rule } from "../services/nallely/mod.ts";
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
export type { CommandName, Commands, Gives, Takes } from "../services/nallely/mod.ts";
