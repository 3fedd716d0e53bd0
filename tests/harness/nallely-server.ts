/** A fake session of Nallely on real sockets: like the real one it has a port for the bus and one for Trevor. */
import type { Frame } from "../../src/core/json.ts";
import { FakeSession, type FakeSessionPeer } from "../../src/testing/fakes/nallely-session.ts";

export interface NallelyServer extends AsyncDisposable {
  readonly busUrl: string;
  readonly trevorUrl: string;
  /** The fake session; undefined if the tests run against a real one. */
  readonly session: FakeSession | undefined;
}

interface Server {
  open(peer: FakeSessionPeer): void;
  message(peer: FakeSessionPeer, frame: Frame): void;
  closed(peer: FakeSessionPeer): void;
}
interface Attached {
  readonly path: string;
  server: Server | undefined;
  peer: FakeSessionPeer | undefined;
}

/** The session that the tests run against: that of `NALLELY_BUS_URL` and `NALLELY_TREVOR_URL`, or a fake one. */
export function openSession(): NallelyServer {
  const { NALLELY_BUS_URL: busUrl, NALLELY_TREVOR_URL: trevorUrl } = process.env;
  if (busUrl !== undefined && trevorUrl !== undefined) {
    return { busUrl, trevorUrl, session: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const session = new FakeSession((ms, run) => void setTimeout(run, ms));
  const [bus, trevor] = [listen(() => session.bus), listen(() => session.trevor)];
  return {
    busUrl: `ws://127.0.0.1:${bus.port}`,
    trevorUrl: `ws://127.0.0.1:${trevor.port}`,
    session,
    async [Symbol.asyncDispose]() {
      await Promise.all([bus.stop(true), trevor.stop(true)]);
    },
  };
}

/** A port whose sockets belong to a server; connections are refused while no server is attached. */
function listen(server: () => Server | undefined) {
  return Bun.serve<Attached>({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, listener) {
      const at = server();
      const { pathname, search } = new URL(request.url);
      const data: Attached = { path: pathname + search, server: at, peer: undefined };
      if (at !== undefined && listener.upgrade(request, { data })) return undefined;
      return new Response("no session", { status: 503 });
    },
    websocket: {
      perMessageDeflate: true,
      open(socket) {
        const peer: FakeSessionPeer = {
          path: socket.data.path,
          send: (frame) => void socket.send(frame),
          close: (code, reason) => socket.close(code, reason),
        };
        socket.data.peer = peer;
        socket.data.server?.open(peer);
      },
      message(socket, data) {
        const { peer, server } = socket.data;
        if (peer !== undefined) server?.message(peer, typeof data === "string" ? data : new Uint8Array(data));
      },
      close(socket) {
        const { peer, server } = socket.data;
        if (peer !== undefined) server?.closed(peer);
      },
    },
  });
}
