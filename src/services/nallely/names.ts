/**
 * What a neuron and its parameters may be called.
 *
 * The bus takes the neuron's name from the raw request target, joins it to each parameter's name with `_` and splits it there
 * again; and when a value is routed to a parameter it sets an attribute of that plain name on itself. So some names never
 * receive, some make another neuron impossible, and some stop the bus for everybody. None of it is reported by the bus.
 */
import { NEURON_NAME_MAX, PARAMETER_NAME_BYTES_MAX } from "../../core/limits.ts";
import { type Refusal, refusal } from "./refusal.ts";

/** What a URL's path carries unchanged, less what the bus itself splits at. */
const PLAIN_NAME = /^(?:[A-Za-z0-9.:~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+$/;
/** A URL parser takes these for steps in the path. */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;

const FATAL: ReadonlyMap<string, string> = new Map([
  ["connected", "a value routed to it replaces the bus's table of sockets, and nobody can register any more"],
  ["known_services", "a value routed to it replaces the bus's table of neurons, and nobody can register any more"],
  ["uuid", "a value routed to it changes the id of the bus, and every path into it breaks"],
  ["links", "a value routed to it breaks the links of whoever sent it"],
  ["range", "it is read-only on the bus: values routed to it never arrive"],
  ["ident", "it is read-only on the bus: values routed to it never arrive"],
]);

const ATTRIBUTES: ReadonlySet<string> = new Set(
  `NAME add_ports_to_remote_device all_parameters all_sections bind bind_link bounce_link clone closed_ports
  configure_remote_device connected current_preset daemon debug debug_print device disconnect_all_links
  disconnect_incoming_links disconnect_outgoing_links exception_handlers forever generate_fun getName handler ident
  incoming_links input_queues internal_setup isDaemon is_alive join known_services links links_registry load_preset main
  make_frame max_range min_range name native_id nonstream_links observers outgoing_links output output_cv parse_binary
  parse_frame parse_json pause pause_event paused random_preset range ready_event receiving register_observer
  remove_ports_to_remote_device repr resume run running save_preset scale schema_as_dict send_out server
  services_in_waitingroom setDaemon setName set_parameter set_pause set_pause_cv setup sleep spread_registered_services
  start stop store_input stream_links target_cycle_time to_dict to_update try_connection uid unbind_all unbind_link
  unregister_observer unregister_service uuid`.split(/\s+/),
);

/** Why this cannot be a neuron's name; undefined when it can. */
export function checkNeuronName(name: string): Refusal | undefined {
  const because = (reason: string) => refusal("neuron-name", `neuron name ${quote(name)}: ${reason}`);
  if (name === "") return because("is empty");
  if (name.length > NEURON_NAME_MAX) return because(`is longer than ${NEURON_NAME_MAX} characters`);
  if (name.includes("_")) {
    return because("has a `_`: the bus would look for a neuron named by what stands before it, and never deliver a value");
  }
  if (/[/?#]/.test(name)) return because("has a `/`, `?` or `#`: the bus reads the name from the path, up to there");
  if (!PLAIN_NAME.test(name)) {
    return because("has a character that a URL would escape: the session would list it under another name");
  }
  if (DOT_SEGMENT.test(name)) return because("would be taken for a step in the path");
  return undefined;
}

/** Why this cannot be a parameter's name; undefined when it can. */
export function checkParameterName(name: string): Refusal | undefined {
  const because = (reason: string) => refusal("parameter-name", `parameter name ${quote(name)}: ${reason}`);
  if (name === "") return because("is empty");
  if (name !== name.toWellFormed()) return because("is not well-formed Unicode");
  if (new TextEncoder().encode(name).length > PARAMETER_NAME_BYTES_MAX) {
    return because(`has more than ${PARAMETER_NAME_BYTES_MAX} bytes: a frame holds its length in one`);
  }
  const reserved = reservedBecause(name);
  return reserved === undefined
    ? undefined
    : refusal("parameter-reserved", `parameter name ${quote(name)} is reserved: ${reserved}`);
}

/** What the bus would do to itself with a parameter of this name; undefined when nothing. */
export function reservedBecause(name: string): string | undefined {
  const fatal = FATAL.get(name);
  if (fatal !== undefined) return fatal;
  if (ATTRIBUTES.has(name)) return "the bus has an attribute of that name, which a value routed to it would overwrite";
  if (name.startsWith("_")) return "the bus keeps its inner attributes under names that begin with `_`";
  if (name.endsWith("_cv")) return "the bus would take it for the inner name of another neuron's parameter";
  return undefined;
}

const quote = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 79)}…` : name);
