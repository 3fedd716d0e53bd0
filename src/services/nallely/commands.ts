/**
 * The commands of Trevor, with their parameters and replies.
 *
 * An unknown or missing parameter raises an exception in Trevor, which closes the socket. So every command is checked against this table
 * before it is sent.
 */
import type { Json, JsonObject } from "../../core/json.ts";
import { type RuleViolation, violation } from "./rule-violation.ts";
import type { SessionState } from "./session-state.ts";

export type DeviceId = number | string;
/** `DEVICE::SECTION::PARAMETER`. */
export type ParameterPath = string;

export interface TrevorNotification {
  readonly status: string;
  readonly message: string;
}
export interface ClassCode extends JsonObject {
  readonly className: string;
  readonly methods: Json;
}
export interface CodeDiagnostic {
  readonly line: number | null;
  readonly start_col: number | null;
  readonly end_col: number | null;
  readonly message: string;
}
export interface CompletionOption {
  readonly label: string;
  readonly detail: string;
  readonly type: string;
  readonly insertText: string;
  readonly boost: number;
}
interface LinkEnds {
  readonly from_parameter: ParameterPath;
  readonly to_parameter: ParameterPath;
}
interface DeviceParams {
  readonly device_id: DeviceId;
}
interface AddressParams {
  readonly address: string;
  readonly universe?: string;
}
type NoCommandParams = Readonly<Record<never, never>>;

/** Parts of replies; undefined if Trevor did not send the part. */
interface StateReply {
  readonly state: SessionState;
}
interface MaybeStateReply {
  readonly state: SessionState | undefined;
  readonly notification: TrevorNotification | undefined;
}
interface LoadReply extends StateReply {
  readonly errors: readonly Json[];
}

/** Parameters and reply of each command. */
export interface Commands {
  full_state: { params: { readonly with_defaultvalues?: boolean }; reply: SessionState };
  create_device: { params: { readonly name: string }; reply: SessionState };
  create_devices: { params: { readonly device_classes: Readonly<Record<string, number>> }; reply: SessionState };
  clone_device: {
    params: DeviceParams & {
      readonly pause_device?: boolean;
      readonly start_clone?: boolean;
      readonly with_links?: boolean;
      readonly suicide?: boolean;
    };
    reply: SessionState;
  };
  kill_device: { params: DeviceParams; reply: SessionState };
  pause_device: { params: DeviceParams & { readonly start: boolean | null }; reply: SessionState };
  resume_device: { params: DeviceParams & { readonly start: boolean | null }; reply: SessionState };
  random_preset: { params: DeviceParams; reply: SessionState };
  force_note_off: { params: DeviceParams; reply: SessionState };
  set_device_channel: { params: DeviceParams & { readonly channel: number }; reply: SessionState };
  set_virtual_value: { params: DeviceParams & { readonly parameter: string; readonly value: Json }; reply: SessionState };
  set_parameter_value: {
    params: DeviceParams & { readonly section_name: string; readonly parameter_name: string; readonly value: Json };
    reply: SessionState;
  };
  associate_parameters: {
    params: LinkEnds & { readonly unbind: boolean; readonly with_scaler?: Scaling };
    reply: SessionState;
  };
  create_scaler: { params: LinkEnds & { readonly create: boolean }; reply: SessionState };
  set_scaler_parameter: {
    params: { readonly scaler_id: number; readonly parameter: string; readonly value: Json };
    reply: SessionState;
  };
  make_link_bouncy: { params: LinkEnds & { readonly bouncy: boolean }; reply: SessionState };
  mute_link: { params: LinkEnds & { readonly muted: boolean }; reply: SessionState };
  set_link_velocity: { params: LinkEnds & { readonly velocity: Json }; reply: SessionState };
  set_link_extrazero: { params: LinkEnds & { readonly extra_zero: ExtraZero }; reply: SessionState };
  delete_all_connections: { params: NoCommandParams; reply: SessionState };
  associate_midi_port: {
    params: { readonly device: DeviceId; readonly port: string; readonly direction: "input" | "output" };
    reply: SessionState;
  };
  unregister_service: { params: { readonly bus_id: DeviceId; readonly service_name: string }; reply: SessionState };
  /** The state in the reply has no devices yet; `Trevor.resetAll` waits for the new bus. */
  reset_all: { params: NoCommandParams; reply: SessionState };
  save_code: { params: { readonly code: string }; reply: SessionState };
  /** Runs in a thread of its own: output may arrive later, as lines. */
  execute_code: {
    params: { readonly code: string };
    reply: StateReply & { readonly diagnostic: CodeDiagnostic | undefined; readonly lines: readonly string[] };
  };
  create_new_vdev: { params: { readonly name: string }; reply: StateReply & { readonly code: ClassCode | undefined } };
  compile_inject: {
    params: DeviceParams & { readonly class_code: string; readonly commit?: boolean };
    reply: MaybeStateReply;
  };
  compile_inject_save: {
    params: DeviceParams & { readonly class_code: string; readonly force_name?: string; readonly commit?: boolean };
    reply: MaybeStateReply;
  };
  expose_neuron: { params: DeviceParams & { readonly friend_ip: string }; reply: MaybeStateReply };
  unexpose_neuron: { params: DeviceParams & { readonly friend_ip: string }; reply: MaybeStateReply };
  load_all: { params: { readonly name: string }; reply: LoadReply };
  load_address: { params: AddressParams; reply: LoadReply };
  list_patches: { params: NoCommandParams; reply: readonly string[] };
  save_all: {
    params: { readonly name: string; readonly save_defaultvalues?: boolean };
    reply: TrevorNotification | undefined;
  };
  save_address: {
    params: AddressParams & { readonly save_defaultvalues?: boolean };
    reply: TrevorNotification | undefined;
  };
  save_address_metadata: {
    params: { readonly address: string; readonly name: string; readonly color: string; readonly description: string };
    reply: { readonly addresses: Json; readonly notification: TrevorNotification | undefined };
  };
  get_used_addresses: { params: { readonly universe?: string }; reply: Json };
  clear_address: { params: AddressParams; reply: Json };
  fetch_path_infos: { params: { readonly filename: string }; reply: Json };
  all_virtual_schemas: { params: NoCommandParams; reply: readonly Json[] };
  /** Undefined for an unknown device. */
  get_class_code: { params: DeviceParams; reply: ClassCode | undefined };
  fetch_class_code: { params: DeviceParams; reply: ClassCode | undefined };
  completion_request: { params: { readonly expression: string }; reply: readonly CompletionOption[] };
  start_capture_io: { params: { readonly device_or_link?: DeviceId }; reply: undefined };
  stop_capture_io: { params: { readonly device_or_link?: DeviceId }; reply: undefined };
  send_stdin: { params: { readonly thread_id: number; readonly text: string }; reply: undefined };
  /** Undefined while another scan is running. */
  scan_for_friends: { params: { readonly force?: boolean }; reply: Json | undefined };
  mount_nallelyfs: { params: { readonly mountpoint: string }; reply: string | undefined };
  umount_nallelyfs: { params: NoCommandParams; reply: string | undefined };
}
export type Scaling = boolean | { readonly to_min?: number; readonly to_max?: number; readonly as_int?: boolean };
export type ExtraZero = "none" | "before" | "after" | "remove-note-off";

/** The name of a command. */
export type CommandName = keyof Commands;
/** The parameters of a command. */
export type CommandParams<C extends CommandName> = Commands[C]["params"];
/** The reply of a command. */
export type CommandReply<C extends CommandName> = Commands[C]["reply"];

/** The way in which a reply is built from the messages between a command and its fence. */
export type ReplyShape =
  | "state"
  | "maybeState"
  | "stateAndErrors"
  | "stateAndCode"
  | "execution"
  | "notification"
  | "addresses"
  | "patches"
  | "options"
  | "text"
  | "nothing"
  /** The `arg` of the message with this `command`. */
  | { readonly arg: string };

interface CommandShape {
  readonly required: readonly string[];
  readonly optional: readonly string[];
  readonly reply: ReplyShape;
}

export const USED_ADDRESSES = "RuntimeAPI::setUsedAddresses";
export const CLASS_CODE = "RuntimeAPI::setClassCode";

const words = (text: string): readonly string[] => text.split(" ").filter((word) => word !== "");
const command = (required: string, optional: string, reply: ReplyShape): CommandShape => ({
  required: words(required),
  optional: words(optional),
  reply,
});
const LINK = "from_parameter to_parameter";

export const COMMANDS: { readonly [C in CommandName]: CommandShape } = {
  full_state: command("", "with_defaultvalues", "state"),
  create_device: command("name", "", "state"),
  create_devices: command("device_classes", "", "state"),
  clone_device: command("device_id", "pause_device start_clone with_links suicide", "state"),
  kill_device: command("device_id", "", "state"),
  pause_device: command("device_id start", "", "state"),
  resume_device: command("device_id start", "", "state"),
  random_preset: command("device_id", "", "state"),
  force_note_off: command("device_id", "", "state"),
  set_device_channel: command("device_id channel", "", "state"),
  set_virtual_value: command("device_id parameter value", "", "state"),
  set_parameter_value: command("device_id section_name parameter_name value", "", "state"),
  associate_parameters: command(`${LINK} unbind`, "with_scaler", "state"),
  create_scaler: command(`${LINK} create`, "", "state"),
  set_scaler_parameter: command("scaler_id parameter value", "", "state"),
  make_link_bouncy: command(`${LINK} bouncy`, "", "state"),
  mute_link: command(`${LINK} muted`, "", "state"),
  set_link_velocity: command(`${LINK} velocity`, "", "state"),
  set_link_extrazero: command(`${LINK} extra_zero`, "", "state"),
  delete_all_connections: command("", "", "state"),
  associate_midi_port: command("device port direction", "", "state"),
  unregister_service: command("bus_id service_name", "", "state"),
  reset_all: command("", "", "state"),
  save_code: command("code", "", "state"),
  execute_code: command("code", "", "execution"),
  create_new_vdev: command("name", "", "stateAndCode"),
  compile_inject: command("device_id class_code", "commit", "maybeState"),
  compile_inject_save: command("device_id class_code", "force_name commit", "maybeState"),
  expose_neuron: command("device_id friend_ip", "", "maybeState"),
  unexpose_neuron: command("device_id friend_ip", "", "maybeState"),
  load_all: command("name", "", "stateAndErrors"),
  load_address: command("address", "universe", "stateAndErrors"),
  list_patches: command("", "", "patches"),
  save_all: command("name", "save_defaultvalues", "notification"),
  save_address: command("address", "universe save_defaultvalues", "notification"),
  save_address_metadata: command("address name color description", "", "addresses"),
  get_used_addresses: command("", "universe", { arg: USED_ADDRESSES }),
  clear_address: command("address", "universe", { arg: USED_ADDRESSES }),
  fetch_path_infos: command("filename", "", { arg: "RuntimeAPI::setPatchDetails" }),
  all_virtual_schemas: command("", "", { arg: "TrevorAPI::setAllVirtualDeviceSchemas" }),
  get_class_code: command("device_id", "", { arg: CLASS_CODE }),
  fetch_class_code: command("device_id", "", { arg: CLASS_CODE }),
  completion_request: command("expression", "", "options"),
  start_capture_io: command("", "device_or_link", "nothing"),
  stop_capture_io: command("", "device_or_link", "nothing"),
  send_stdin: command("thread_id text", "", "nothing"),
  scan_for_friends: command("", "force", { arg: "GeneralAPI::setOnlineFriends" }),
  mount_nallelyfs: command("mountpoint", "", "text"),
  umount_nallelyfs: command("", "", "text"),
};

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

/** The reason why Trevor would close the socket at this command, or undefined. */
export function checkCommand(name: string, params: JsonObject): RuleViolation | undefined {
  if (!isCommand(name)) return violation("command", `Trevor has no command ${name}`);
  const { required, optional } = COMMANDS[name];
  const missing = required.filter((key) => params[key] === undefined);
  if (missing.length > 0) return violation("command", `${name} requires ${missing.join(", ")}`);
  const unknown = Object.keys(params).filter((key) => !required.includes(key) && !optional.includes(key));
  return unknown.length > 0 ? violation("command", `${name} has no parameter ${unknown.join(", ")}`) : undefined;
}
