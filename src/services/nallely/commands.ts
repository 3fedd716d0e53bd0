/**
 * Every command of Trevor: its parameters, and what it replies.
 *
 * An unknown or missing parameter is an exception over there that closes the socket, so the table is checked before the wire.
 */
import type { Json, JsonObject } from "../../core/json.ts";
import { type Refusal, refusal } from "./refusal.ts";
import type { SessionState } from "./state.ts";

export type DeviceId = number | string;
/** `DEVICE::SECTION::PARAMETER`. */
export type ParameterPath = string;

export interface Notice {
  readonly status: string;
  readonly message: string;
}
export interface ClassCode extends JsonObject {
  readonly className: string;
  readonly methods: Json;
}
export interface CodeFlaw {
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
interface Link {
  readonly from_parameter: ParameterPath;
  readonly to_parameter: ParameterPath;
}
interface Device {
  readonly device_id: DeviceId;
}
interface Address {
  readonly address: string;
  readonly universe?: string;
}
type None = Readonly<Record<never, never>>;

/** What arrives besides, or instead of, a state. Absent: it did not come. */
interface Changed {
  readonly state: SessionState;
}
interface MaybeChanged {
  readonly state: SessionState | undefined;
  readonly notice: Notice | undefined;
}
interface Loaded extends Changed {
  readonly errors: readonly Json[];
}

/** Parameters (`takes`) and reply (`gives`) of each command. */
export interface Commands {
  full_state: { takes: { readonly with_defaultvalues?: boolean }; gives: SessionState };
  create_device: { takes: { readonly name: string }; gives: SessionState };
  create_devices: { takes: { readonly device_classes: Readonly<Record<string, number>> }; gives: SessionState };
  clone_device: {
    takes: Device & {
      readonly pause_device?: boolean;
      readonly start_clone?: boolean;
      readonly with_links?: boolean;
      readonly suicide?: boolean;
    };
    gives: SessionState;
  };
  kill_device: { takes: Device; gives: SessionState };
  pause_device: { takes: Device & { readonly start: boolean | null }; gives: SessionState };
  resume_device: { takes: Device & { readonly start: boolean | null }; gives: SessionState };
  random_preset: { takes: Device; gives: SessionState };
  force_note_off: { takes: Device; gives: SessionState };
  set_device_channel: { takes: Device & { readonly channel: number }; gives: SessionState };
  set_virtual_value: { takes: Device & { readonly parameter: string; readonly value: Json }; gives: SessionState };
  set_parameter_value: {
    takes: Device & { readonly section_name: string; readonly parameter_name: string; readonly value: Json };
    gives: SessionState;
  };
  associate_parameters: { takes: Link & { readonly unbind: boolean; readonly with_scaler?: Scaling }; gives: SessionState };
  create_scaler: { takes: Link & { readonly create: boolean }; gives: SessionState };
  set_scaler_parameter: {
    takes: { readonly scaler_id: number; readonly parameter: string; readonly value: Json };
    gives: SessionState;
  };
  make_link_bouncy: { takes: Link & { readonly bouncy: boolean }; gives: SessionState };
  mute_link: { takes: Link & { readonly muted: boolean }; gives: SessionState };
  set_link_velocity: { takes: Link & { readonly velocity: Json }; gives: SessionState };
  set_link_extrazero: { takes: Link & { readonly extra_zero: ExtraZero }; gives: SessionState };
  delete_all_connections: { takes: None; gives: SessionState };
  associate_midi_port: {
    takes: { readonly device: DeviceId; readonly port: string; readonly direction: "input" | "output" };
    gives: SessionState;
  };
  unregister_service: { takes: { readonly bus_id: DeviceId; readonly service_name: string }; gives: SessionState };
  /** The state that follows has no devices yet; `Trevor.resetAll` waits for the new bus. */
  reset_all: { takes: None; gives: SessionState };
  save_code: { takes: { readonly code: string }; gives: SessionState };
  /** Runs in a thread of its own: what it prints may come later, as lines. */
  execute_code: {
    takes: { readonly code: string };
    gives: Changed & { readonly flaw: CodeFlaw | undefined; readonly lines: readonly string[] };
  };
  create_new_vdev: { takes: { readonly name: string }; gives: Changed & { readonly code: ClassCode | undefined } };
  compile_inject: {
    takes: Device & { readonly class_code: string; readonly commit?: boolean };
    gives: MaybeChanged;
  };
  compile_inject_save: {
    takes: Device & { readonly class_code: string; readonly force_name?: string; readonly commit?: boolean };
    gives: MaybeChanged;
  };
  expose_neuron: { takes: Device & { readonly friend_ip: string }; gives: MaybeChanged };
  unexpose_neuron: { takes: Device & { readonly friend_ip: string }; gives: MaybeChanged };
  load_all: { takes: { readonly name: string }; gives: Loaded };
  load_address: { takes: Address; gives: Loaded };
  list_patches: { takes: None; gives: readonly string[] };
  save_all: { takes: { readonly name: string; readonly save_defaultvalues?: boolean }; gives: Notice | undefined };
  save_address: { takes: Address & { readonly save_defaultvalues?: boolean }; gives: Notice | undefined };
  save_address_metadata: {
    takes: { readonly address: string; readonly name: string; readonly color: string; readonly description: string };
    gives: { readonly addresses: Json; readonly notice: Notice | undefined };
  };
  get_used_addresses: { takes: { readonly universe?: string }; gives: Json };
  clear_address: { takes: Address; gives: Json };
  fetch_path_infos: { takes: { readonly filename: string }; gives: Json };
  all_virtual_schemas: { takes: None; gives: readonly Json[] };
  /** Undefined: there is no such device. */
  get_class_code: { takes: Device; gives: ClassCode | undefined };
  fetch_class_code: { takes: Device; gives: ClassCode | undefined };
  completion_request: { takes: { readonly expression: string }; gives: readonly CompletionOption[] };
  start_capture_io: { takes: { readonly device_or_link?: DeviceId }; gives: undefined };
  stop_capture_io: { takes: { readonly device_or_link?: DeviceId }; gives: undefined };
  send_stdin: { takes: { readonly thread_id: number; readonly text: string }; gives: undefined };
  /** Undefined: a scan was going on already. */
  scan_for_friends: { takes: { readonly force?: boolean }; gives: Json | undefined };
  mount_nallelyfs: { takes: { readonly mountpoint: string }; gives: string | undefined };
  umount_nallelyfs: { takes: None; gives: string | undefined };
}
export type Scaling = boolean | { readonly to_min?: number; readonly to_max?: number; readonly as_int?: boolean };
export type ExtraZero = "none" | "before" | "after" | "remove-note-off";

/** The name of a command of Trevor. */
export type CommandName = keyof Commands;
/** The parameters of a command. */
export type Takes<C extends CommandName> = Commands[C]["takes"];
/** The reply of a command. */
export type Gives<C extends CommandName> = Commands[C]["gives"];

/** How the reply is put together from the messages between a command and its fence. */
export type ReplyShape =
  | "state"
  | "changed"
  | "loaded"
  | "coded"
  | "executed"
  | "notice"
  | "described"
  | "patches"
  | "options"
  | "text"
  | "nothing"
  /** The `arg` of the message with this `command`. */
  | { readonly arg: string };

interface CommandShape {
  readonly needs: readonly string[];
  readonly may: readonly string[];
  readonly gives: ReplyShape;
}

export const USED_ADDRESSES = "RuntimeAPI::setUsedAddresses";
export const CLASS_CODE = "RuntimeAPI::setClassCode";

const words = (text: string): readonly string[] => text.split(" ").filter((word) => word !== "");
const command = (needs: string, may: string, gives: ReplyShape): CommandShape => ({
  needs: words(needs),
  may: words(may),
  gives,
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
  execute_code: command("code", "", "executed"),
  create_new_vdev: command("name", "", "coded"),
  compile_inject: command("device_id class_code", "commit", "changed"),
  compile_inject_save: command("device_id class_code", "force_name commit", "changed"),
  expose_neuron: command("device_id friend_ip", "", "changed"),
  unexpose_neuron: command("device_id friend_ip", "", "changed"),
  load_all: command("name", "", "loaded"),
  load_address: command("address", "universe", "loaded"),
  list_patches: command("", "", "patches"),
  save_all: command("name", "save_defaultvalues", "notice"),
  save_address: command("address", "universe save_defaultvalues", "notice"),
  save_address_metadata: command("address name color description", "", "described"),
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

/** Why Trevor would close the socket at this command; undefined when it would not. */
export function checkCommand(name: string, params: JsonObject): Refusal | undefined {
  if (!isCommand(name)) return refusal("command", `Trevor has no command ${name}`);
  const { needs, may } = COMMANDS[name];
  const missing = needs.filter((key) => params[key] === undefined);
  if (missing.length > 0) return refusal("command", `${name} needs ${missing.join(", ")}`);
  const unknown = Object.keys(params).filter((key) => !needs.includes(key) && !may.includes(key));
  return unknown.length > 0 ? refusal("command", `${name} takes no ${unknown.join(", ")}`) : undefined;
}
