/** Shared parts of a fake Nallely session: its types, and the interfaces through which the bus and Trevor use it. */
import type { Frame, JsonObject } from "../../core/json.ts";
import type { FakeParameter } from "./nallely-parameter.ts";

/** A client's socket, as a server sees it. */
export interface FakeSessionPeer {
  /** The raw request target. */
  readonly path: string;
  send(frame: Frame): void;
  close(code: number, reason: string): void;
}

/** Calls `run` after `ms`. */
export type Later = (ms: number, run: () => void) => void;

export interface FakeLink {
  readonly id: number;
  readonly source: FakeEnd;
  readonly target: FakeEnd;
  readonly isScaled: boolean;
  muted: boolean;
  bouncy: boolean;
}
export interface FakeEnd {
  readonly device: number;
  readonly parameter: FakeParameter;
}

/** A native neuron: a `VCA` amplifies, all others do nothing. */
export interface FakeDevice {
  readonly id: number;
  readonly className: string;
  readonly repr: string;
  readonly parameters: readonly FakeParameter[];
  readonly config: Map<string, number>;
  readonly inputs: { readonly name: string; readonly value: number }[];
  isPaused: boolean;
  isAwake: boolean;
}

/** The session, as its bus uses it. */
export interface BusSession {
  readonly trevor: { pushState(): void };
  endOf(path: string): FakeEnd | "waiting" | undefined;
  link(source: FakeEnd, target: FakeEnd, isScaled: boolean): void;
  dropLinksOf(parameter: FakeParameter): void;
  route(from: FakeParameter, value: number): void;
}

/** The session, as Trevor uses it. */
export interface TrevorSession<Bus> {
  readonly devices: FakeDevice[];
  readonly links: FakeLink[];
  readonly state: JsonObject;
  bus: Bus | undefined;
  playgroundCode: string;
  create(className: string): FakeDevice | undefined;
  endOf(path: string): FakeEnd | "waiting" | undefined;
  link(source: FakeEnd, target: FakeEnd, isScaled: boolean): void;
  unlink(source: FakeEnd, target: FakeEnd): void;
  dropLinksOf(parameter: FakeParameter): void;
  setValue(device: FakeDevice, name: string, value: number): void;
  reset(done: () => void): void;
}
