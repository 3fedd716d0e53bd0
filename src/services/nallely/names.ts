/**
 * The names that a neuron and its parameters may have.
 *
 * The bus takes the neuron's name from the raw request target, joins it to each parameter's name with `_`, and splits the result at the
 * first `_`. When a value is routed to a parameter, the bus sets an attribute of that name on itself. So some names never receive values,
 * some make another neuron impossible, and some stop the bus for every client. The bus reports none of this.
 */
import { NEURON_NAME_MAX, PARAMETER_NAME_BYTES_MAX } from "../../core/limits.ts";
import { type RuleViolation, violation } from "./rule-violation.ts";

/** Characters that a URL's path carries unchanged and at which the bus does not split. */
const PLAIN_NAME = /^(?:[A-Za-z0-9.:~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+$/;
/** A URL parser resolves these as steps in the path. */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;

const FATAL: ReadonlyMap<string, string> = new Map([
  ["connected", "a value routed to it replaces the bus's table of sockets, and nobody can register any more"],
  ["known_services", "a value routed to it replaces the bus's table of neurons, and nobody can register any more"],
  ["uuid", "a value routed to it changes the id of the bus, and every path into it breaks"],
  ["links", "a value routed to it breaks the links of its sender"],
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

/** The rule that a neuron's name breaks, or undefined. */
export function checkNeuronName(name: string): RuleViolation | undefined {
  const because = (reason: string) => violation("neuron-name", `neuron name ${quote(name)}: ${reason}`);
  if (name === "") return because("is empty");
  if (name.length > NEURON_NAME_MAX) {
    return because(`has ${name.length} characters; at most ${NEURON_NAME_MAX} are allowed`);
  }
  if (name.includes("_")) {
    return because("contains `_`: the bus would look for a neuron with the name before the `_`, and never deliver a value");
  }
  if (/[/?#]/.test(name)) {
    return because("contains `/`, `?` or `#`: the bus reads the name from the path, up to that character");
  }
  if (!PLAIN_NAME.test(name)) {
    return because("contains a character that a URL would escape: the session would list another name");
  }
  if (DOT_SEGMENT.test(name)) return because("is a step in the path of a URL");
  return undefined;
}

/** The rule that a parameter's name breaks, or undefined. */
export function checkParameterName(name: string): RuleViolation | undefined {
  const because = (reason: string) => violation("parameter-name", `parameter name ${quote(name)}: ${reason}`);
  if (name === "") return because("is empty");
  if (name !== name.toWellFormed()) return because("is not well-formed Unicode");
  if (new TextEncoder().encode(name).length > PARAMETER_NAME_BYTES_MAX) {
    return because(`has more than ${PARAMETER_NAME_BYTES_MAX} bytes in UTF-8: a frame has one byte for the length`);
  }
  const reserved = reservedBecause(name);
  return reserved === undefined
    ? undefined
    : violation("parameter-reserved", `parameter name ${quote(name)} is reserved: ${reserved}`);
}

/** How a parameter of this name would break the bus, or undefined. */
export function reservedBecause(name: string): string | undefined {
  const fatal = FATAL.get(name);
  if (fatal !== undefined) return fatal;
  if (ATTRIBUTES.has(name)) return "the bus has an attribute of this name, which a routed value would overwrite";
  if (name.startsWith("_")) return "the names of the bus's inner attributes begin with `_`";
  if (name.endsWith("_cv")) return "the bus would take it for the inner name of another neuron's parameter";
  return undefined;
}

const quote = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 79)}…` : name);
