/** Where the listeners of a runtime deviate from RFC 6455 in a way that the relay cannot change: case, observed outcome, reason. */
import { PROTOCOL_CASES } from "../websocket-client/rfc6455-cases.ts";

export interface Deviations {
  readonly reason: string;
  readonly cases: Readonly<Record<string, string>>;
  /** The listener that has another server and does not deviate. */
  readonly except?: string;
}

const LONG_LENGTHS: Deviations = {
  reason: "the runtime reads lengths that are not in their shortest form, and takes the highest bit for a large length",
  cases: {
    "5.2 16 bits for a length of 125": "alive",
    "5.2 64 bits for a length of 125": "alive",
    "5.2 64 bits for a length of 65,535": "alive",
    "5.2 a length with the highest bit": "closed 1009",
  },
};

/** All cases of a section that require a close. */
const closesOf = (section: string, outcome: string): Record<string, string> =>
  Object.fromEntries(
    PROTOCOL_CASES.filter(({ name, expected }) => name.startsWith(section) && expected.is === "closed")
      .map(({ name }) => [name, outcome]),
  );

export const FRAME_DEVIATIONS: Readonly<Record<"Bun" | "Deno" | "workerd", readonly Deviations[]>> = {
  Bun: [{ ...LONG_LENGTHS, except: "Intermediary" }],
  Deno: [],
  workerd: [
    LONG_LENGTHS,
    { reason: "the platform replaces invalid UTF-8", cases: closesOf("8.1 ", "alive") },
    {
      reason: "the platform answers a close with an invalid payload like one without a code",
      cases: {
        "5.5.1 close with half a code": "closed 1000",
        "5.5.1 close with a reason of 124 bytes": "closed 1000",
        "5.5.1 close with a reason that is not UTF-8": "closed 1000",
        "5.5.1 close with half a character": "closed 1000",
        "5.5.1 close with 1005": "closed 1000",
        "5.5.1 close with 1006": "closed 1000",
      },
    },
    {
      reason: "the platform checks neither masks, nor the size of pings and pongs, nor their reserved bits",
      cases: {
        "5.2 the wrong mask": "alive",
        "5.2 the wrong mask of a ping": "alive",
        "5.5.2 ping of 126 bytes": "alive",
        "5.5.2 pong of 126 bytes": "alive",
        "5.2 reserved reserved bits of a ping": "alive",
      },
    },
    {
      reason: "the platform accepts messages of 32 MiB; the services refuse those beyond their limits",
      cases: { "10.4 a text announced at sixteen times the largest size": "silent" },
    },
  ],
};

const OLD_HTTP: Deviations = { reason: "the runtime hides the version of HTTP", cases: { "HTTP/1.0": "101" } };
const TAB: Deviations = {
  reason: "the parser does not find `Upgrade` in front of a tab",
  cases: { "spaces around values": "426" },
};

export const REQUEST_DEVIATIONS: Readonly<Record<"Bun" | "Deno" | "workerd", readonly Deviations[]>> = {
  Bun: [{ ...OLD_HTTP, except: "Intermediary" }],
  Deno: [TAB],
  workerd: [
    OLD_HTTP,
    TAB,
    { reason: "the platform compresses on request", cases: { "an offer of compression": "with an extension" } },
    {
      reason: "a router of the platform sends its own handshake to the object",
      cases: {
        "no Connection": "101",
        "Connection: close": "101",
        "a key of 15 bytes": "101",
        "a key of 17 bytes": "101",
        "a key that is not base64": "101",
        "a version of HTTP that does not exist": "101",
        "a space before a colon": "101",
        "a folded header": "101",
        "headers of 64 KiB": "101",
        "a lone line feed": "101",
      },
    },
  ],
};
