/** Everything for a program that joins a Nallely session: neurons, Trevor, and what helps with both. */
export * from "./neuron.ts";
export * from "./neurons.ts";
export * from "./trevor.ts";
export * from "./nallely-error.ts";
export type { Clock, DriverOptions, OpenSocket, SocketLike } from "./nallely-driver.ts";
export type { IterateOptions, Listener, ValueIterator } from "./nallely-stream.ts";
export type { WaitOptions } from "./nallely-wait.ts";
export {
  type AwayPolicy,
  busIdOf,
  checkNeuronName,
  checkParameterName,
  clamp,
  type CommandName,
  type Commands,
  type Connection,
  connectionsOf,
  type Declaration,
  decodeFrame,
  devicePath,
  devicesOf,
  type Drift,
  encodeFrame,
  frameHead,
  type Gives,
  hasDrift,
  neuronPath,
  proxyOf,
  queue,
  type Range,
  scale,
  type SessionState,
  type Takes,
  type VirtualDevice,
  type VirtualParameter,
} from "../nallely/mod.ts";
