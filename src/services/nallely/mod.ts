/** The Nallely service, and the state machines of a neuron and of Trevor's client for programs outside the relay. */
export { nallely } from "./service.ts";
export type { NallelyState } from "./state.ts";
export { isViolation, type RuleName, type RuleViolation, violation } from "./rule-violation.ts";
export { checkNeuronName, checkParameterName, reservedBecause } from "./names.ts";
export {
  clamp,
  type Declaration,
  type Direction,
  type NeuronDeclaration,
  type NeuronSpec,
  type OfflinePolicy,
  type ParameterDeclaration,
  type ParameterSpec,
  queue,
  type Range,
  RATE_DEFAULT,
  readDeclaration,
  scale,
} from "./declaration.ts";
export { decodeFrame, encodeFrame, type FrameError, frameHead } from "./value-frame.ts";
export {
  decodeText,
  encodeAddition,
  encodeRegistration,
  type NamedValue,
  parseTolerantJson,
  type RegisteredParameter,
} from "./bus-json.ts";
export { flushAll, waitingCount } from "./outputs.ts";
export {
  addParameters,
  createNeuron,
  handleNeuronFrame,
  handleNeuronLink,
  isNeuronStopped,
  type NallelyLinkOptions,
  type NeuronInput,
  type NeuronMachine,
  type NeuronUpdate,
  nextNeuronWakeup,
  receiveValue,
  sendValue,
  startNeuron,
  stopNeuron,
  tickNeuron,
} from "./neuron.ts";
export { createRegistry, find, type NeuronRegistry, register, registryKey, remove } from "./registry.ts";
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
} from "./session-state.ts";
export {
  type ClassCode,
  type CodeDiagnostic,
  type CommandName,
  type CommandParams,
  type CommandReply,
  COMMANDS,
  type Commands,
  type CompletionOption,
  type DeviceId,
  type ExtraZero,
  type ParameterPath,
  type Scaling,
  type TrevorNotification,
} from "./commands.ts";
export {
  type CommandFailure,
  createTrevor,
  handleTrevorLink,
  nextTrevorWakeup,
  startTrevor,
  stopTrevor,
  submitCommand,
  tickTrevor,
  type TrevorCommand,
  type TrevorMachine,
  type TrevorUpdate,
} from "./trevor.ts";
