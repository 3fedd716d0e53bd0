/**
 * The control port of a fake session.
 *
 * As in a real session, any path gets the first state, and only `/trevor` gets later messages; a reply goes to every client; there are no
 * ids and no
 * error replies: a command that fails, for example because of an unknown parameter, closes its socket with 1011; the commands of a client
 * run in order, and a command that blocks delays only its own client.
 */
import { type Frame, isObject, type Json, type JsonObject, parsePlainJson } from "../../core/json.ts";
import { lenientText } from "../../core/text.ts";
import { pythonJson } from "./nallely-parameter.ts";
import type { FakeBus } from "./nallely-bus.ts";
import type { FakeDevice, FakeSessionPeer, TrevorSession } from "./nallely-model.ts";

/** Parameters of each command, in order. Parameters with a `?` are optional. */
const SIGNATURES: Readonly<Record<string, string>> = {
  full_state: "with_defaultvalues?",
  create_device: "name",
  create_devices: "device_classes",
  clone_device: "device_id pause_device? start_clone? with_links? suicide?",
  kill_device: "device_id",
  pause_device: "device_id start",
  resume_device: "device_id start",
  random_preset: "device_id",
  force_note_off: "device_id",
  set_device_channel: "device_id channel",
  set_virtual_value: "device_id parameter value",
  set_parameter_value: "device_id section_name parameter_name value",
  associate_parameters: "from_parameter to_parameter unbind with_scaler?",
  create_scaler: "from_parameter to_parameter create",
  set_scaler_parameter: "scaler_id parameter value",
  make_link_bouncy: "from_parameter to_parameter bouncy",
  mute_link: "from_parameter to_parameter muted",
  set_link_velocity: "from_parameter to_parameter velocity",
  set_link_extrazero: "from_parameter to_parameter extra_zero",
  delete_all_connections: "",
  associate_midi_port: "device port direction",
  unregister_service: "bus_id service_name",
  reset_all: "",
  save_code: "code",
  execute_code: "code",
  create_new_vdev: "name",
  compile_inject: "device_id class_code commit?",
  compile_inject_save: "device_id class_code force_name? commit?",
  expose_neuron: "device_id friend_ip",
  unexpose_neuron: "device_id friend_ip",
  load_all: "name",
  load_address: "address universe?",
  list_patches: "",
  save_all: "name save_defaultvalues?",
  save_address: "address universe? save_defaultvalues?",
  save_address_metadata: "address name color description",
  get_used_addresses: "universe?",
  clear_address: "address universe?",
  fetch_path_infos: "filename",
  all_virtual_schemas: "",
  get_class_code: "device_id",
  fetch_class_code: "device_id",
  completion_request: "requestId expression",
  start_capture_io: "device_or_link?",
  stop_capture_io: "device_or_link?",
  send_stdin: "thread_id text",
  scan_for_friends: "force?",
  mount_nallelyfs: "mountpoint",
  umount_nallelyfs: "",
};

/** An exception in Trevor. */
class TrevorFailure extends Error {}

interface TrevorClient {
  readonly peer: FakeSessionPeer;
  readonly commands: JsonObject[];
  isBusy: boolean;
}

export class FakeTrevor {
  readonly #session: TrevorSession<FakeBus>;
  readonly #clients = new Map<FakeSessionPeer, TrevorClient>();

  constructor(session: TrevorSession<FakeBus>) {
    this.#session = session;
  }

  open(peer: FakeSessionPeer): void {
    this.#clients.set(peer, { peer, commands: [], isBusy: false });
    peer.send(pythonJson(this.#session.state));
  }

  message(peer: FakeSessionPeer, frame: Frame): void {
    const client = this.#clients.get(peer);
    if (client === undefined) return;
    const text = lenientText(frame);
    const message = parsePlainJson(text, 64);
    if (!isObject(message)) return this.#fail(client);
    client.commands.push(message);
    this.#work(client);
  }

  closed(peer: FakeSessionPeer): void {
    this.#clients.delete(peer);
  }

  /** Sends the state, as the bus does when a neuron's parameters change. */
  pushState(): void {
    this.broadcast(this.#session.state);
  }

  /** Sends to every client of `/trevor`. */
  broadcast(message: Json): void {
    const text = pythonJson(message);
    for (const { peer } of [...this.#clients.values()]) if (peer.path.split("/")[1] === "trevor") peer.send(text);
  }

  notify(status: string, message: string): void {
    this.broadcast({ status, message, command: "notification" });
  }

  #work(client: TrevorClient): void {
    while (!client.isBusy && this.#clients.get(client.peer) === client) {
      const message = client.commands.shift();
      if (message === undefined) return;
      try {
        this.#run(client, message);
      } catch (failure) {
        if (!(failure instanceof TrevorFailure)) throw failure;
        return this.#fail(client);
      }
    }
  }

  #fail({ peer }: TrevorClient): void {
    this.#clients.delete(peer);
    peer.close(1011, "");
  }

  #run(client: TrevorClient, { command, ...params }: JsonObject): void {
    const name = String(command);
    checkCall(name, params);
    const session = this.#session;
    if (name === "reset_all") {
      client.isBusy = true;
      const cleared = { ...session.state, virtual_devices: [], connections: [] };
      session.reset(() => {
        client.isBusy = false;
        this.#work(client);
      });
      return this.broadcast(cleared);
    }
    const reply = this.#reply(name, params);
    if (reply !== undefined) this.broadcast(reply);
  }

  /** The reply to a command; undefined if the command has no reply, or it has been sent. */
  #reply(name: string, params: JsonObject): Json | undefined {
    const session = this.#session;
    const call = (command: string, arg: Json): Json => ({ command, arg });
    switch (name) {
      case "completion_request":
        return { command: "completion", requestId: params.requestId, options: [] };
      case "start_capture_io":
      case "stop_capture_io":
      case "send_stdin":
        return undefined;
      case "list_patches":
        return { knownPatches: ["/patches/one.nly"] };
      case "save_all":
      case "save_address":
        return { status: "ok", message: "Patch saved", command: "notification" };
      case "save_address_metadata":
        this.broadcast(call("RuntimeAPI::setUsedAddresses", []));
        return { status: "ok", message: "Metadata saved", command: "notification" };
      case "get_used_addresses":
      case "clear_address":
        return call("RuntimeAPI::setUsedAddresses", []);
      case "fetch_path_infos":
        return call("RuntimeAPI::setPatchDetails", { filename: params.filename });
      case "all_virtual_schemas":
        return call("TrevorAPI::setAllVirtualDeviceSchemas", []);
      case "get_class_code":
      case "fetch_class_code": {
        const device = this.#find(params.device_id);
        return device && call("RuntimeAPI::setClassCode", { className: device.className, methods: {} });
      }
      case "scan_for_friends":
        return call("GeneralAPI::setOnlineFriends", {});
      case "mount_nallelyfs":
        return "OK";
      case "umount_nallelyfs":
        return "NOT MOUNTED";
      case "load_all":
      case "load_address":
        if (String(params.name ?? params.address).includes("missing")) throw new TrevorFailure();
        if (String(params.name ?? params.address).includes("broken")) this.broadcast({ errors: ["broken link"] });
        return session.state;
      case "compile_inject":
      case "compile_inject_save":
        if (this.#find(params.device_id) === undefined) return undefined;
        this.notify("ok", "compiled");
        return session.state;
      case "expose_neuron":
      case "unexpose_neuron":
        return this.#find(params.device_id) === undefined
          ? session.state
          : { status: "error", message: "not yet supported", command: "notification" };
      default:
        // Why not `assertNever`: a client can send any command.
        this.#change(name, params);
        return session.state;
    }
  }

  /** The commands that change the session and return its state. */
  #change(name: string, params: JsonObject): void {
    const session = this.#session;
    switch (name) {
      case "create_device":
        if (session.create(String(params.name)) === undefined) throw new TrevorFailure();
        return;
      case "create_devices":
        for (const [className, count] of Object.entries(isObject(params.device_classes) ? params.device_classes : {})) {
          for (let made = 0; made < Number(count); made++) {
            if (session.create(className) === undefined) throw new TrevorFailure();
          }
        }
        return;
      case "create_new_vdev":
        this.broadcast({ command: "RuntimeAPI::setClassCode", arg: { className: params.name, methods: {} } });
        return;
      case "execute_code":
        if (String(params.code).includes("syntax error")) {
          this.broadcast({ command: "error", details: { line: 1, start_col: 1, end_col: 2, message: "invalid syntax" } });
        } else this.broadcast({ command: "stdout", line: ">>> " });
        return;
      case "save_code":
        session.playgroundCode = String(params.code);
        return;
      case "set_virtual_value":
        return this.#setValue(params);
      case "associate_parameters":
        return this.#associate(params);
      case "mute_link":
      case "make_link_bouncy":
        return this.#mark(params);
      case "delete_all_connections":
        session.links.length = 0;
        return;
      case "unregister_service":
        if (String(session.bus?.id) === String(params.bus_id)) session.bus?.unregister(String(params.service_name));
        return; // An unknown bus or name is only logged.
      case "kill_device":
      case "pause_device":
      case "resume_device":
      case "clone_device":
      case "random_preset":
      case "force_note_off":
        return this.#toDevice(name, this.#need(params.device_id));
      default:
        // Why not `assertNever`: a client can send any command.
        return;
    }
  }

  #toDevice(name: string, device: FakeDevice): void {
    const session = this.#session;
    if (name === "pause_device") device.isPaused = true;
    else if (name === "resume_device") device.isPaused = false;
    else if (name === "clone_device") session.create(device.className);
    else if (name === "kill_device") {
      for (const parameter of device.parameters) session.dropLinksOf(parameter);
      session.devices.splice(session.devices.indexOf(device), 1);
    }
  }

  #setValue({ device_id, parameter, value }: JsonObject): void {
    const session = this.#session;
    const number = typeof value === "string" ? Number(value.replace(",", ".")) : Number(value);
    if (String(session.bus?.id) === String(device_id)) return session.bus?.setValue(String(parameter), number);
    const device = this.#need(device_id);
    if (device.parameters.some(({ name }) => name === parameter)) session.setValue(device, String(parameter), number);
  }

  #associate({ from_parameter, to_parameter, unbind, with_scaler = true }: JsonObject): void {
    const session = this.#session;
    const wire = { source: String(from_parameter), target: String(to_parameter), isScaled: with_scaler !== false };
    const [source, target] = [session.endOf(wire.source), session.endOf(wire.target)];
    if (source === undefined || target === undefined) throw new TrevorFailure();
    if (source !== "waiting" && target !== "waiting") {
      if (unbind === true) session.unlink(source, target);
      else session.link(source, target, wire.isScaled);
      return;
    }
    if (source === "waiting" && target === "waiting") return; // Both absent: it never links.
    session.bus?.await(wire, (source === "waiting" ? wire.source : wire.target).split("::")[2] ?? "");
  }

  #mark({ from_parameter, to_parameter, muted, bouncy }: JsonObject): void {
    const path = (device: number, cvName: string) => `${device}::__virtual__::${cvName}`;
    for (const link of this.#session.links) {
      if (path(link.source.device, link.source.parameter.cvName) !== from_parameter) continue;
      if (path(link.target.device, link.target.parameter.cvName) !== to_parameter) continue;
      if (muted !== undefined) link.muted = muted === true;
      if (bouncy !== undefined) link.bouncy = bouncy === true;
    }
  }

  #find(id: Json | undefined): FakeDevice | undefined {
    return this.#session.devices.find((device) => String(device.id) === String(id));
  }

  #need(id: Json | undefined): FakeDevice {
    const device = this.#find(id);
    if (device === undefined) throw new TrevorFailure();
    return device;
  }
}

/** Python's check of the arguments. */
function checkCall(name: string, params: JsonObject): void {
  const signature = Object.hasOwn(SIGNATURES, name) ? SIGNATURES[name] : undefined;
  if (signature === undefined) throw new TrevorFailure();
  const parameters = signature.split(" ").filter((one) => one !== "");
  const known = parameters.map((one) => one.replace("?", ""));
  const needed = parameters.filter((one) => !one.endsWith("?"));
  if (!Object.keys(params).every((key) => known.includes(key)) || !needed.every((key) => key in params)) {
    throw new TrevorFailure();
  }
}
