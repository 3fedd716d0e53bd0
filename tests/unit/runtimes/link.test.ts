/** The link in virtual time: the relay's side and the program's side together, and the games of `--listen`. */
import fc from "fast-check";
import { test } from "#runner";
import type { Frame } from "../../../src/core/json.ts";
import { decodeDial, decodeReply, passedCode } from "../../../src/runtimes/link/control.ts";
import { GameLink } from "../../../src/runtimes/link/game-link.ts";
import { LinkDriver } from "../../../src/runtimes/link/link-driver.ts";
import type { ClientSocketListener } from "../../../src/websocket-client/dialer.ts";
import { check } from "../../harness/check.ts";
import { LinkWorld } from "./link-world.ts";

const isOrderedPart = (part: readonly Frame[], whole: readonly Frame[]): boolean => {
  let at = 0;
  for (const frame of part) {
    at = whole.indexOf(frame, at);
    if (at < 0) return false;
    at++;
  }
  return true;
};

test("LK1 LK2 LK3 whatever breaks or is late, frames keep their order and their connection, and the link is open again", () => {
  const wire = fc.integer({ min: -2, max: -1 });
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ is: fc.constant("deliver"), wire, up: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ is: fc.constantFrom("relay sends", "neuro sends", "accept", "dial") }) },
    { weight: 1, arbitrary: fc.record({ is: fc.constantFrom("refuse", "neuro ends", "relay closes", "another program") }) },
    { weight: 1, arbitrary: fc.record({ is: fc.constant("cut"), wire }) },
    { weight: 1, arbitrary: fc.record({ is: fc.constant("wait"), ms: fc.integer({ min: 1, max: 12_000 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new LinkWorld();
      world.dial();
      world.startProgram();
      let programs = 1;
      for (const one of steps) {
        const neuro = world.neuros.at(-1);
        if (one.is === "deliver" && "up" in one) world.deliver(one.wire, one.up ? "toRelay" : "toProgram");
        else if (one.is === "cut" && "wire" in one) world.wires.at(one.wire)?.cut();
        else if (one.is === "wait" && "ms" in one) world.advance(one.ms);
        else if (one.is === "relay sends") world.dials.at(-1)?.send();
        else if (one.is === "neuro sends") world.neuroSends();
        else if (one.is === "accept") neuro?.accept();
        else if (one.is === "dial") world.dial();
        else if (one.is === "refuse" && neuro?.state === "dialing") neuro.end(1006);
        else if (one.is === "neuro ends") neuro?.end(1000);
        else if (one.is === "relay closes") world.dials.at(-1)?.close();
        else if (one.is === "another program" && programs++ < 3) world.startProgram();
      }
      for (const { received } of world.neuros) {
        const sources = world.dials.filter(({ sent }) => received.length > 0 && sent.includes(received[0] ?? ""));
        check.equal(sources.length, received.length > 0 ? 1 : 0, "the frames of one connection");
        check.that(isOrderedPart(received, sources[0]?.sent ?? []), `${received}`);
      }
      for (const { received } of world.dials) {
        const connections = new Set(received.map((frame) => String(frame).split(" ")[1]));
        check.that(connections.size <= 1, `frames of ${connections.size} Neuros`);
        check.that(
          isOrderedPart(
            received,
            [...received].sort((a, b) => Number(String(a).split(" ")[2]) - Number(String(b).split(" ")[2])),
          ),
        );
      }
      world.settle();
      const last = world.dials.at(-1);
      check.equal(last?.state, "open", JSON.stringify(world.reports));
      last?.send();
      world.settle();
      const open = world.neuros.filter(({ state }) => state === "open");
      check.that(open.some(({ received }) => received.at(-1) === last?.sent.at(-1)), "a frame arrives");
    }),
    { numRuns: 400 },
  );
});

test("LK7 a connection that the program has given up, and that opens late, does not replace its later one", () => {
  const world = new LinkWorld();
  world.dial();
  world.startProgram();
  world.advance(10_000);
  world.advance(50);
  world.deliver(-1, "toRelay");
  world.settle();
  check.equal([world.dials.at(-1)?.state, world.reports.includes("replaced")], ["open", false]);
});

test("LK7 two programs that want one name replace each other at most once in 5 s; the refused one is told, and tries again", () => {
  const world = new LinkWorld();
  world.startProgram();
  const open = (wire: number) => world.wires.at(wire)?.toRelay.shift()?.();
  open(0);
  world.startProgram();
  open(1);
  world.now += 4_999;
  world.startProgram();
  open(2);
  const replacing = world.observations.filter(({ is }) => is === "link_connected")
    .map((observation) => "replaces" in observation && observation.replaces);
  check.equal(replacing, [false, true]);
  for (const _ of ["opened", "closed"]) world.wires[2]?.toProgram.shift()?.();
  check.match(world.reports.at(-1) ?? "", /1013 the link neuro was taken over less than 5 s ago/);
});

test("LK8 LK15 a Neuro that does not answer within 10 s is reported to the relay, which dials again through the same program, with its chain of relays", () => {
  const world = new LinkWorld();
  world.dial();
  world.startProgram();
  const deliverAll = () => {
    for (let count = 0; count < 9; count++) for (const way of ["toRelay", "toProgram"] as const) world.deliver(-1, way);
  };
  deliverAll();
  world.advance(10_000);
  deliverAll();
  check.equal([world.dials[0]?.closes, world.neuros.length, world.wires.length], [1, 1, 1]);
  world.dial();
  deliverAll();
  world.neuros.at(-1)?.accept();
  deliverAll();
  check.equal([world.dials[1]?.state, world.wires.length], ["open", 1]);
  check.equal(world.neuros.at(-1)?.headers, { "Neuro-Relay-Via": "a, b" });
});

test("LK9 control messages are read from any text, and a code that a close frame cannot have is not passed on", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.uint8Array()), (frame) => {
    decodeDial(frame);
    const reply = decodeReply(frame);
    check.that(reply === undefined || reply.link === "up" || reply.why.length <= 200);
  }));
  check.equal(decodeReply(JSON.stringify({ link: "down", why: "x".repeat(1_000) })), {
    link: "down",
    why: "x".repeat(200),
  });
  check.equal([1000, 1005, 1006, 1015, 4409].map(passedCode), [1000, 1000, 1011, 1011, 4409]);
});

/** A game, and the connections that its link dials to the relay. */
class GameWorld {
  now = 0;
  readonly closes: string[] = [];
  readonly toGame: Frame[] = [];
  readonly dials: { url: string; listener: ClientSocketListener; sent: Frame[] }[] = [];
  readonly machine: GameLink;
  readonly driver: LinkDriver;
  #timer: { at: number; tick(): void } | undefined;

  constructor(keepMs: number) {
    const game = {
      write: (frames: readonly Frame[]) => this.toGame.push(...frames) * 0,
      close: (code: number, reason: string) => this.closes.push(`${code} ${reason}`) * 0,
      terminate: () => {},
      ping: () => {},
    };
    this.machine = new GameLink(game, {
      relayUrl: "wss://r.example/r/s/neuro/x?a=1",
      token: "t",
      keepMs,
      report: () => {},
    });
    this.driver = new LinkDriver(this.machine, {
      dial: ({ url }, listener) => {
        const sent: Frame[] = [];
        this.dials.push({ url, listener, sent });
        return { send: (frame) => sent.push(frame) * 0, close: () => {} };
      },
      clock: (tick) => ({
        now: () => this.now,
        random: () => 0.5,
        secret: () => "",
        wake: (at) => (this.#timer = at === undefined ? undefined : { at, tick }),
      }),
    });
    this.driver.run((ctx) => this.machine.start(ctx));
  }

  say(frame: Frame): void {
    this.driver.run((ctx) => this.machine.gameFrame(frame, ctx));
  }

  advance(ms: number): void {
    this.now += ms;
    while (this.#timer !== undefined && this.#timer.at <= this.now) {
      const { tick } = this.#timer;
      this.#timer = undefined;
      tick();
    }
  }
}

test("LK6 a game's frames wait while the relay is away, in order; the next connection has the name of the game in its path", () => {
  const world = new GameWorld(60_000);
  world.say('{"command":"startup","game":"Café & Co"}');
  check.equal(world.dials.map(({ url }) => url), ["wss://r.example/r/s/neuro/x?a=1"]);
  world.dials[0]?.listener.opened();
  world.say("two");
  check.equal(world.dials[0]?.sent, ['{"command":"startup","game":"Café & Co"}', "two"]);
  world.dials[0]?.listener.closed(1012, "restarting");
  world.say("three");
  world.say("four");
  world.advance(5_000);
  check.equal(world.dials[1]?.url, "wss://r.example/r/s/neuro/x/game/Caf%C3%A9%20%26%20Co?a=1");
  world.dials[1]?.listener.opened();
  world.dials[1]?.listener.received("reregister");
  check.equal([world.dials[1]?.sent, world.toGame, world.closes], [["three", "four"], ["reregister"], []]);
});

test("LK10 a game is closed when the relay is away for --keep, refuses it, or more than 256 KiB of its frames wait; with --keep 0 at once", () => {
  const away = new GameWorld(20_000);
  away.dials[0]?.listener.opened();
  away.dials[0]?.listener.closed(1006, "");
  away.advance(19_999);
  check.equal(away.closes, []);
  away.advance(1);
  check.equal(away.closes, ["1014 the relay is away"]);

  const refused = new GameWorld(20_000);
  refused.dials[0]?.listener.opened();
  refused.dials[0]?.listener.closed(4401, "invalid auth token");
  check.equal(refused.closes, ["4401 invalid auth token"]);

  const loud = new GameWorld(20_000);
  loud.say("x".repeat(262_144));
  check.equal(loud.closes, []);
  loud.say("x");
  check.equal(loud.closes.length, 1);
  check.match(loud.closes[0] ?? "", /^1013 more than 262144 characters/);

  const transparent = new GameWorld(0);
  transparent.dials[0]?.listener.opened();
  transparent.dials[0]?.listener.closed(1012, "restarting");
  check.equal(transparent.closes, ["1012 restarting"]);
});
