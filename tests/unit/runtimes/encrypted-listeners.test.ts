/** TLS on the relay's own listeners, on Bun and on Deno. */
import { test } from "#runner";
import { spawnSync } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect as connectPlain } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { HANDSHAKES_MAX } from "../../../src/runtimes/node-http/handshakes.ts";
import { check } from "../../harness/check.ts";
import { find, RUNNERS } from "../../harness/machine.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";

/** Makes `<name>.crt` and `<name>.key` in a folder. */
function makeCertificate(folder: string, name: string): void {
  const files = ["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.crt`)];
  const subject = ["-subj", `/CN=${name}.example`, "-addext", "subjectAltName=IP:127.0.0.1"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const { status, stderr } = spawnSync("openssl", ["req", "-x509", ...key, ...subject, ...files], { encoding: "utf8" });
  check.equal(status, 0, stderr);
}

/** The name in the certificate of a listener. */
function nameAt(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket: TLSSocket = connect(
    { port: Number(new URL(url).port), host: "127.0.0.1", rejectUnauthorized: false },
    () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    },
  );
  socket.on("error", reject);
  return promise;
}

/** A WebSocket whose certificate is not checked. */
async function open(url: string, headers: Record<string, string> = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, { tls: { rejectUnauthorized: false }, headers });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.onopen = () => resolve();
  socket.onerror = () => reject(new Error(`no socket at ${url}`));
  await promise;
  return socket;
}

/** The next message of a socket. */
const nextOf = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => socket.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }));

const BLOCKS = ["intermediary", "nakurity-backend", "brain", "web"];

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return;
    await Bun.sleep(100);
  }
  throw new Error(`never: ${what}`);
}

for (const [runtime, runner] of Object.entries(RUNNERS)) {
  if (find("openssl") === undefined) continue;
  test(
    `RT90 RT91 listeners with certificates are encrypted, and follow their files: ${runtime}`,
    () =>
      inFolder(async (folder) => {
        for (const name of ["first", "second"]) makeCertificate(folder, name);
        const use = (name: string, parts = ["crt", "key"]): void => {
          for (const part of parts) copyFileSync(join(folder, `${name}.${part}`), join(folder, `used.${part}`));
        };
        use("first");
        const sets = BLOCKS.flatMap((block) => [
          `${block}.enabled=true`,
          `${block}.port=0`,
          `${block}.tls.cert=${folder}/used.crt`,
          `${block}.tls.key=${folder}/used.key`,
        ]);
        const relay = await RelayProcess.start(folder, sets, runner);
        try {
          const { intermediary, neuro, brain, web } = relay.urls;
          check.equal([intermediary, neuro, brain, web].map((url) => new URL(url).protocol), [
            "wss:",
            "wss:",
            "wss:",
            "https:",
          ]);
          for (const url of [intermediary, neuro, brain, web]) check.equal(await nameAt(url), "first.example");
          const page = await fetch(new URL(web).origin, { tls: { rejectUnauthorized: false } });
          check.equal(page.status, 200);
          await page.text();
          const origin = new URL(web).origin;
          const own = await open(`${origin.replace("https", "wss")}/intermediary`, { origin });
          const watcher = await open(intermediary);
          const welcome = nextOf(watcher);
          watcher.send(JSON.stringify({ type: "neuro-os", name: "w", auth_token: "super-secret-token" }));
          check.match(await welcome, /neuroos_connected/);
          const client = await open(brain);
          const session = nextOf(client);
          client.send(JSON.stringify({ cmd: "CreateSession", owner: "x".repeat(60_000) }));
          check.match(await session, /session_id/);
          const game = await open(neuro);
          const known = nextOf(watcher);
          game.send(JSON.stringify({ command: "startup", game: "Chess" }));
          check.match(await known, /Chess/);
          // A certificate without its key stays out of use, and is reported.
          use("second", ["crt"]);
          const isReported = /web\.tls\.key: \S*used\.key is not the key of \S*used\.crt; the old certificate stays/;
          await until(() => isReported.test(relay.output), "the wrong key is reported");
          check.equal(await nameAt(neuro), "first.example");
          use("second");
          for (const url of [intermediary, neuro, brain, web]) {
            await until(
              async () => await nameAt(url).catch(() => "") === "second.example",
              `${url} has the new certificate`,
            );
          }
          // Open connections stay.
          const event = nextOf(watcher);
          game.send(JSON.stringify({ command: "context", game: "Chess", data: { message: "Check.", silent: true } }));
          check.match(await event, /Check\./);
          for (const socket of [own, watcher, client, game]) socket.close();
        } finally {
          check.equal(await relay.stop(), 0);
        }
      }),
    { timeoutMs: 90_000 },
  );
}

test(
  "RT93 on Deno, connections without a complete handshake are bounded, and one that is not TLS is closed at once",
  () =>
    inFolder(async (folder) => {
      makeCertificate(folder, "first");
      const sets = [`nakurity-backend.tls.cert=${folder}/first.crt`, `nakurity-backend.tls.key=${folder}/first.key`];
      const relay = await RelayProcess.start(folder, sets, RUNNERS["Deno"]);
      try {
        const port = Number(new URL(relay.urls.neuro).port);
        let closed = 0;
        const silent = Array.from({ length: HANDSHAKES_MAX + 20 }, () => connectPlain(port, "127.0.0.1"));
        for (const socket of silent) socket.on("close", () => closed++).on("error", () => {});
        await until(() => closed >= 20, "the oldest connections are closed");
        check.equal(await nameAt(relay.urls.neuro), "first.example");
        const { promise, resolve } = Promise.withResolvers<void>();
        const plain = connectPlain(port, "127.0.0.1", () => plain.write("GET / HTTP/1.1\r\n\r\n"));
        plain.on("close", () => resolve()).on("error", () => {}).resume();
        await promise;
        check.that(closed < HANDSHAKES_MAX, `${closed} closed`);
        for (const socket of silent) socket.destroy();
      } finally {
        await relay.stop();
      }
    }),
  { timeoutMs: 60_000 },
);

test(
  "RT92 a certificate that cannot be used keeps the relay from starting, with the setting and the file",
  () =>
    inFolder(async (folder) => {
      for (const name of ["first", "second"]) makeCertificate(folder, name);
      writeFileSync(join(folder, "garbage.crt"), "no certificate");
      const at = (name: string): string => join(folder, name);
      for (
        const [cert, key, problem] of [
          ["none.crt", "first.key", /web\.tls\.cert: \S*none\.crt cannot be used/],
          ["garbage.crt", "first.key", /web\.tls\.cert: \S*garbage\.crt cannot be used/],
          ["first.crt", "garbage.crt", /web\.tls\.key: \S*garbage\.crt cannot be used/],
          ["first.crt", "second.key", /web\.tls\.key: \S*second\.key is not the key of \S*first\.crt/],
        ] as const
      ) {
        const sets = ["web.enabled=true", "web.port=0", `web.tls.cert=${at(cert)}`, `web.tls.key=${at(key)}`];
        let reason = "";
        await RelayProcess.start(folder, sets).then((relay) => relay.stop(), (error) => (reason = String(error)));
        check.match(reason, problem);
      }
    }),
  { timeoutMs: 30_000 },
);
