/** The door of the room that speaks to a Nallely session, and the machines that programs of their own may drive. */
export { type Nallely, nallely } from "./room.ts";
export { isRefusal, type Refusal, refusal, type Rule } from "./refusal.ts";
export { checkNeuronName, checkParameterName, reservedBecause } from "./names.ts";
export {
  type AwayPolicy,
  clamp,
  type Declaration,
  type Direction,
  type NeuronDeclaration,
  type NeuronPlan,
  type ParameterDeclaration,
  type ParameterPlan,
  queue,
  type Range,
  RATE_DEFAULT,
  readDeclaration,
  scale,
} from "./declaration.ts";
export { decodeFrame, encodeFrame, type FrameFlaw, frameHead } from "./frame.ts";
export {
  decodeText,
  encodeAddition,
  encodeRegistration,
  type NamedValue,
  parseTolerantJson,
  type WireParameter,
} from "./wire.ts";
export { flushAll, waitingCount } from "./outputs.ts";
export {
  type Input,
  isOpenOn,
  isStopped,
  linkStep,
  type Neuron as NeuronMachine,
  neuron as neuronMachine,
  type NeuronLinkOptions,
  type NeuronNews,
  nextWakeup,
  receive,
  repair,
  send,
  start,
  stop,
  tick,
} from "./neuron.ts";
export { find, register, type Registry, registry, registryKey, remove } from "./registry.ts";
export {
  busIdOf,
  type Connection,
  connectionsOf,
  devicePath,
  devicesOf,
  type Drift,
  driftOf,
  hasDrift,
  isSessionState,
  neuronPath,
  proxyOf,
  type SessionState,
  type VirtualDevice,
  type VirtualParameter,
} from "./state.ts";
export {
  type ClassCode,
  type CodeFlaw,
  type CommandName,
  COMMANDS,
  type Commands,
  type CompletionOption,
  type DeviceId,
  type ExtraZero,
  type Gives,
  type Notice,
  type ParameterPath,
  type Scaling,
  type Takes,
} from "./commands.ts";
export {
  ask,
  type Command,
  type CommandEnd,
  nextTrevorWakeup,
  startTrevor,
  stopTrevor,
  tickTrevor,
  type Trevor as TrevorMachine,
  trevor as trevorMachine,
  type TrevorNews,
  trevorStep,
} from "./trevor.ts";
