/** Foreign origins and rebound host names over real connections, on IPv4 and IPv6, on Bun and Deno. */
import { connect } from "node:net";
import process from "node:process";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { denoPath } from "../../harness/machine.ts";
import { inFolder, RelayProcess } from "../../harness/relay.ts";

const RUNNERS: Readonly<Record<string, readonly string[]>> = {
  Bun: [process.execPath],
  Deno: [denoPath(), "run", "--allow-all", "--no-check", "--node-modules-dir=manual"],
};
const UPGRADE = [
  "connection: Upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
];

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The status of the response to a handwritten request; 0 without a response. */
function statusOf({ host, port }: HostAndPort, lines: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = "";
    const end = () => {
      resolve(Number(/^HTTP\/1\.[01] (\d+)/.exec(text)?.[1] ?? 0));
      socket.destroy();
    };
    socket.setTimeout(3_000, end);
    socket.on("connect", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    socket.on("data", (chunk) => {
      text += String(chunk);
      if (text.includes("\r\n\r\n")) end();
    });
    socket.on("error", end).on("close", end);
  });
}

const placeOf = (url: string): HostAndPort => {
  const { hostname, port } = new URL(url.replace(/^ws/, "http"));
  return { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
};

for (const [name, runner] of Object.entries(RUNNERS)) {
  for (const host of ["127.0.0.1", "::1"]) {
    test(
      `SE15 over real connections nothing foreign gets in (${name}, ${host})`,
      () =>
        inFolder(async (folder) => {
          const sets = ["web.enabled=true", "web.port=0", `web.host=${host}`, `nakurity-backend.host=${host}`];
          const relay = await RelayProcess.start(folder, [...sets, "queue.backend=memory"], runner);
          try {
            const [web, game] = [placeOf(relay.urls.web), placeOf(relay.urls.neuro)];
            const named = `${host === "::1" ? "[::1]" : host}:${web.port}`;
            const get = (path: string, ...more: string[]) => [`GET ${path} HTTP/1.1`, ...more];
            const own = [`host: ${named}`, `origin: http://${named}`];
            check.equal(await statusOf(web, get("/health", ...own)), 200);
            check.equal(await statusOf(web, get("/intermediary", ...own, ...UPGRADE)), 101);
            check.equal(await statusOf(game, get("/", `host: ${named}`, ...UPGRADE)), 101);
            for (const path of ["/health", "/", "/uploads/x.bin", "/api/integrations", "/neuro", "/nothing"]) {
              for (const upgrade of [[], UPGRADE]) {
                const ask = (...more: string[]) => statusOf(web, get(path, ...more, ...upgrade));
                for (const origin of ["https://evil.example", "null", `http://${named}1`]) {
                  check.equal(await ask(`host: ${named}`, `origin: ${origin}`), 403, `${path} from ${origin}`);
                }
                check.equal(await ask(`host: evil.example:${web.port}`), 421, path);
                check.equal(
                  await ask(`host: evil.example:${web.port}`, `origin: http://evil.example:${web.port}`),
                  421,
                  path,
                );
              }
            }
            for (const origin of ["https://evil.example", "null", `http://evil.example:${game.port}`]) {
              check.equal(
                await statusOf(game, get("/", `host: evil.example`, `origin: ${origin}`, ...UPGRADE)),
                403,
                origin,
              );
            }
            // Why not a certain status: no browser can send these, and each runtime refuses them with another status.
            for (const odd of [["GET /metrics HTTP/1.0"], get("/metrics"), get("/metrics", "host: a", "host: b")]) {
              check.that(await statusOf(web, odd) !== 200, odd.join(" "));
            }
          } finally {
            await relay.stop("SIGKILL");
          }
        }),
      { timeoutMs: 60_000 },
    );
  }
}
