/**
 * What every start of the relay does with its libraries, and nothing of the relay: reads the words of the command and a YAML file,
 * validates its settings, opens a log, three listeners with an app and one of Node's server, dials, and ends the start. A floor of
 * `bun run bench rest`. Usage: `--port` and the port.
 */
import { configure, getLogger } from "@logtape/logtape";
import { Command } from "commander";
import { Hono } from "hono";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseDocument } from "yaml";
import { z } from "zod/mini";
import { endStart } from "../../src/runtimes/jit.ts";
import { writeOutput } from "../../src/runtimes/bun/output.ts";

const port = z.int().check(z.minimum(0), z.maximum(65_535));
const listener = z.looseObject({ host: z.optional(z.string()), port: z.optional(port) });
const schema = z.looseObject({ intermediary: z.optional(listener), "nakurity-backend": z.optional(listener) });

async function run(port: number): Promise<void> {
  const file = parseDocument(readFileSync("config/relay.yaml", "utf8"), { prettyErrors: false });
  if (!schema.safeParse(file.toJS()).success) throw new Error("the settings of this checkout are not valid");
  const sinks = { out: ({ level }: { readonly level: string }) => void writeOutput("stderr", Buffer.from(`${level}\n`)) };
  const meta = { category: ["logtape", "meta"], sinks: [] };
  await configure({ sinks, loggers: [{ category: ["relay"], sinks: ["out"], lowestLevel: "info" }, meta] });
  const app = new Hono();
  app.get("/health", (hono) => hono.json({ status: "ok" }));
  for (const at of [port, 0, 0]) {
    Bun.serve({
      hostname: "127.0.0.1",
      port: at,
      fetch: (request, server) => server.upgrade(request) ? undefined : app.fetch(request),
      websocket: { message: (socket, frame) => void socket.send(frame) },
    });
  }
  const server = createServer();
  server.on("request", (_, response) => void response.end());
  server.on("upgrade", (_, socket) => void socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } }).catch(() => {});
  getLogger(["relay"]).info("ready");
  endStart();
}

new Command("libraries")
  .requiredOption("--port <port>", "the port")
  .action(({ port }: { readonly port: string }) => run(Number(port)))
  .parseAsync().catch(console.error);
