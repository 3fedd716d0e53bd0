/** WebSocket frames of a client: valid ones, and ones that RFC 6455 forbids. */
import type { Frame } from "../../../src/core/json.ts";
import type { Random } from "../../../src/testing/random.ts";

const FIN = 0x80;
const MASKED = 0x80;
const MASK = Uint8Array.of(0x5a, 0xa5, 0x11, 0xee);
const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10] as const;

interface FrameShape {
  /** The first byte: FIN, reserved bits and opcode. */
  readonly first: number;
  readonly payload: Uint8Array;
  readonly isMasked?: boolean;
  /** The length that the header claims, if it is not the payload's. */
  readonly claimed?: number;
}

/** A valid text or binary frame. */
export function messageFrame(message: Frame): Uint8Array {
  const isText = typeof message === "string";
  return encode({ first: FIN | (isText ? TEXT : BINARY), payload: bytesOf(message) });
}

/** A message, in a shape that a careful implementation of WebSocket rarely sends. */
export function chaoticFrames(message: Frame, random: Random): Uint8Array {
  const payload = bytesOf(message);
  const half = random.between(0, payload.length);
  const code = random.pick(0, 999, 1000, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 5000, 65_535);
  switch (random.between(0, 13)) {
    case 0:
      return join(
        encode({ first: TEXT, payload: payload.subarray(0, half) }),
        encode({ first: FIN | PING, payload: payload.subarray(0, 100) }),
        encode({ first: FIN | CONTINUATION, payload: payload.subarray(half) }),
      );
    case 1:
      return join(...Array.from({ length: 20 }, () => encode({ first: CONTINUATION, payload: payload.subarray(0, 9) })));
    case 2:
      return join(encode({ first: TEXT, payload }), ...Array.from({ length: 50 }, () => EMPTY_FRAGMENT));
    case 3:
      return join(encode({ first: TEXT, payload }), encode({ first: TEXT, payload }));
    case 4:
      return encode({ first: FIN | TEXT, payload, isMasked: false });
    case 5:
      return encode({ first: FIN | TEXT | random.pick(0x10, 0x20, 0x40, 0x70), payload });
    case 6:
      return encode({ first: FIN | random.pick(3, 4, 5, 6, 7, 11, 12, 13, 14, 15), payload });
    case 7:
      return encode({ first: random.pick(PING, PONG, CLOSE), payload: payload.subarray(0, 20) });
    case 8:
      return encode({ first: FIN | random.pick(PING, PONG, CLOSE), payload: new Uint8Array(126) });
    case 9:
      return encode({
        first: FIN | CLOSE,
        payload: join(Uint8Array.of(code >> 8, code & 0xff), payload.subarray(0, half % 124)),
      });
    case 10:
      return encode({ first: FIN | CLOSE, payload: Uint8Array.of(3) });
    case 11:
      return encode({ first: FIN | TEXT, payload: join(payload, Uint8Array.of(0xff, 0xc0)) });
    case 12:
      return encode({
        first: FIN | TEXT,
        payload,
        claimed: random.pick(payload.length + 9, 70_000, 2 ** 31, 2 ** 40, 2 ** 53),
      });
    default:
      return join(
        ...Array.from(
          { length: 30 },
          () => encode({ first: FIN | random.pick(PING, PONG), payload: payload.subarray(0, 9) }),
        ),
      );
  }
}

const EMPTY_FRAGMENT = encode({ first: CONTINUATION, payload: new Uint8Array() });

const bytesOf = (message: Frame): Uint8Array => typeof message === "string" ? new TextEncoder().encode(message) : message;

function encode({ first, payload, isMasked = true, claimed = payload.length }: FrameShape): Uint8Array {
  const mask = isMasked ? MASKED : 0;
  const length = claimed < 126
    ? [mask | claimed]
    : claimed < 65_536
    ? [mask | 126, claimed >> 8, claimed & 0xff]
    : [mask | 127, ...bigEndian(BigInt(claimed))];
  const body = isMasked ? payload.map((byte, at) => byte ^ (MASK[at & 3] ?? 0)) : payload;
  return join(Uint8Array.of(first, ...length), isMasked ? MASK : new Uint8Array(), body);
}

function bigEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
