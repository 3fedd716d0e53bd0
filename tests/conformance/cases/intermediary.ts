/** Integrations and watchers. */
import { check } from "../../harness/check.ts";
import type { Case } from "../case.ts";
import { JsonSocket } from "../json-socket.ts";
import { TOKENS } from "../platform.ts";
import { integrate, watch } from "../clients.ts";

const greeting = { type: "integration", name: "jukebox", auth_token: TOKENS.intermediary };

export const intermediary: readonly Case[] = [
  {
    name: "RT30 a registration is accepted, or refused with a sentence and a code",
    async run({ urls }) {
      const refused = async (frame: string | object, error: string, code: number) => {
        const line = await JsonSocket.open(urls.intermediary);
        line.send(typeof frame === "string" ? frame : { ...frame });
        check.equal((await line.next()).error, error);
        check.equal((await line.closed).code, code);
      };
      await refused({ ...greeting, auth_token: "wrong" }, "invalid auth token", 4401);
      await refused({ type: "integration", name: "jukebox" }, "invalid auth token", 4401);
      await refused({ ...greeting, auth_token: null }, "invalid auth token", 4401);
      await refused({ ...greeting, type: "other" }, "unknown registration type", 4400);
      await refused("hello", "registration must be JSON", 4400);
      const silent = await JsonSocket.open(urls.intermediary);
      check.equal((await silent.closed).code, 4408);
      const accepted = await JsonSocket.open(urls.intermediary);
      accepted.send({ ...greeting, ack: true });
      const { event, name, session } = await accepted.next();
      check.equal([event, name, typeof session], ["registered", "jukebox", "string"]);
    },
  },
  {
    name:
      "RT31 of two with one name the later wins over one that is gone without a word, and nothing of the winner's is removed",
    async run(relay) {
      const old = await integrate(relay, "twin");
      const watcher = await watch(relay, "w");
      const late = await JsonSocket.open(relay.urls.intermediary);
      late.send({ type: "integration", name: "twin", auth_token: TOKENS.intermediary, ack: true });
      await Promise.race([old.closed, late.closed]);
      const [winner, loser] = late.isOpen ? [late, old] : [old, late];
      check.equal((await loser.closed).code, 4409);
      watcher.send({ target: "twin", cmd: { n: 1 }, request_id: "r" });
      check.equal((await watcher.next(({ request_id }) => request_id === "r")).status, "sent");
      check.equal((await winner.next(({ cmd }) => cmd !== undefined, "the command")).cmd, { n: 1 });
    },
  },
  {
    name: "IM125 IM126 a watcher that asks for it is told which services have changed",
    async run(relay) {
      const watcher = await watch(relay, "page");
      watcher.send({ subscribe: { events: [], changes: true }, request_id: "s" });
      await watcher.next(({ request_id }) => request_id === "s");
      const jukebox = await integrate(relay, "jukebox");
      const changed = new Set<string>();
      while (!changed.has("neuro") || !changed.has("intermediary")) {
        const { services } = await watcher.next(({ event }) => event === "changed", "a notice of both services");
        for (const service of services as readonly string[]) changed.add(service);
      }
      check.that(jukebox.isOpen);
    },
  },
  {
    name: "RT32 a command is sent to who is there, refused for who was never seen, and answered with its request's id",
    async run(relay) {
      const [jukebox, watcher] = [await integrate(relay, "jukebox"), await watch(relay, "desk")];
      watcher.send({ target: "jukebox", cmd: { action: "skip" }, request_id: "a" });
      check.equal((await watcher.next(({ request_id }) => request_id === "a")).status, "sent");
      const { cmd, from_watcher, id } = await jukebox.next(({ cmd }) => cmd !== undefined, "the command");
      check.equal([cmd, from_watcher, typeof id], [{ action: "skip" }, "desk", "string"]);
      jukebox.send({ ack: id });
      watcher.send({ target: "nobody", cmd: {}, request_id: "b" });
      check.equal((await watcher.next(({ request_id }) => request_id === "b")).error, "invalid target/cmd");
      watcher.send({ target: "*", cmd: { all: true }, request_id: "c" });
      const all = await watcher.next(({ request_id }) => request_id === "c");
      check.equal([all.status, all.count], ["sent", 1]);
      watcher.send("not JSON");
      check.equal(
        (await watcher.next(({ error }) => error !== undefined, "an error")).error,
        "watcher messages must be JSON",
      );
    },
  },
  {
    name: "RT33 what was answered queued is delivered after a restart, in order, until it is acknowledged, and not again",
    async run(relay) {
      const jukebox = await integrate(relay, "jukebox");
      const watcher = await watch(relay, "desk");
      await jukebox.close();
      await watcher.next(({ event }) => event === "integration_disconnected", "that it is gone");
      for (const n of [1, 2, 3]) {
        watcher.send({ target: "jukebox", cmd: { n }, request_id: `r${n}` });
        check.equal((await watcher.next(({ request_id }) => request_id === `r${n}`)).status, "queued");
      }
      await relay.restart();
      const back = await integrate(relay, "jukebox");
      const ids: string[] = [];
      for (const n of [1, 2, 3]) {
        const { cmd, id } = await back.next(({ cmd }) => cmd !== undefined, `command ${n}`);
        check.equal(cmd, { n });
        ids.push(id);
      }
      // Why not the last one: it must be redelivered.
      for (const ack of ids.slice(0, 2)) back.send({ ack });
      const again = await back.next(({ cmd }) => cmd?.n === 3, "the third once more");
      check.equal([again.id, again.redelivered], [ids[2], true]);
      back.send({ ack: again.id });
      // Why two requests: at the first reply the ack has been read, at the second its entry has been deleted from the disk.
      for (const _ of [1, 2]) {
        back.send({ query: "get_registered_actions" });
        await back.next(({ actions }) => actions !== undefined, "an answer after the ack");
      }
      await back.close();
      await relay.restart();
      const last = await integrate(relay, "jukebox");
      const client = await watch(relay, "desk");
      client.send({ target: "jukebox", cmd: { n: 4 } });
      check.equal((await last.next(({ cmd }) => cmd !== undefined, "the fourth")).cmd, { n: 4 });
    },
  },
  {
    name:
      "RT34 a watcher sees what happens, and goes on where it was; after a restart it is told that something is missing",
    async run(relay) {
      const watcher = await watch(relay, "desk");
      const jukebox = await integrate(relay, "jukebox");
      const connected = await watcher.next(({ event }) => event === "integration_connected", "the integration");
      check.equal(connected.name, "jukebox");
      check.match(connected.id, /^\d{13}-\d{10}$/);
      jukebox.send({ song: 1 });
      await watcher.next(({ event }) => event === "integration_message", "the first message");
      await watcher.close();
      jukebox.send({ song: 2 });
      const back = await watch(relay, "desk");
      back.send({ subscribe: { events: ["integration_message"], after: connected.id } });
      const songs: unknown[] = [];
      while (songs.length < 2) {
        songs.push((await back.next(({ event }) => event === "integration_message", "a message")).payload);
      }
      check.equal(songs, [{ song: 1 }, { song: 2 }]);
      await relay.restart();
      const later = await watch(relay, "desk");
      later.send({ subscribe: { after: connected.id } });
      check.equal((await later.next(({ event }) => event === "gap", "the gap")).missed, null);
    },
  },
  {
    name: "RT35 a file is kept whole, whatever its size, and fetched with a token only",
    async run(relay) {
      const [camera, watcher] = [await integrate(relay, "camera"), await watch(relay, "desk")];
      const bytes = new Uint8Array(3_000_000).map((_, at) => at * 7);
      camera.send(bytes);
      const { file, size, sha256, from } = await watcher.next(({ event }) => event === "binary_received", "the file");
      check.equal([from, size], ["camera", bytes.length]);
      check.equal(sha256, new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
      const url = `${relay.web}/uploads/${file}`;
      check.equal((await fetch(url)).status, 401);
      const fetched = await fetch(url, { headers: { authorization: `Bearer ${TOKENS.web}` } });
      check.equal(fetched.status, 200);
      check.that(Buffer.from(bytes).equals(Buffer.from(await fetched.arrayBuffer())), "the same bytes");
      await relay.restart();
      const later = await fetch(`${relay.web}/uploads/${file}`, { headers: { authorization: `Bearer ${TOKENS.web}` } });
      check.equal((await later.arrayBuffer()).byteLength, bytes.length);
    },
  },
];
