/** The command line of `link`. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "#runner";
import { load } from "../../../src/config/load.ts";
import { LinkProcess } from "../../conformance/link-process.ts";
import { check } from "../../harness/check.ts";

async function refused(...words: readonly string[]): Promise<string> {
  const link = new LinkProcess(words);
  const status = await link.exited;
  await link.ended;
  return `${status} ${link.output}`;
}

test("LK13 link says what is missing or wrong, and exits with status 2", async () => {
  const relay = ["--relay", "ws://127.0.0.1:1"];
  for (
    const [words, expected] of [
      [[], /^2 .*required option '--relay <url>' not specified/],
      [relay, /^2 link: give --neuro, --listen, or both/],
      [[...relay, "--neuro", "ws://127.0.0.1:2"], /^2 link: --neuro needs --token, or NEURO_RELAY_LINK_TOKEN/],
      [[...relay, "--neuro", "127.0.0.1:2"], /^2 .*expected a URL such as ws:\/\/127\.0\.0\.1:8000/],
      [["--relay", "wss://r.example/?token=x", "--listen", "127.0.0.1:0"], /^2 .*give tokens by --token/],
      [[...relay, "--listen", "8000"], /^2 .*expected an address and a port/],
      [[...relay, "--listen", "0.0.0.0:0"], /^2 link: 0\.0\.0\.0 is reachable from other machines.*--open/],
      [[...relay, "--listen", "127.0.0.1:0", "--keep", "soon"], /^2 .*expected a duration such as 60s/],
      [[...relay, "--neuro", "ws://127.0.0.1:2", "--token", "t", "--name", "a/b"], /^2 .*1 to 64 letters, digits/],
    ] as const
  ) check.match(await refused(...words), expected);
}, { timeoutMs: 60_000 });

test("LK13 a page of another machine cannot use the port for games, and a plain request gets a hint", async () => {
  const link = new LinkProcess(["--relay", "ws://127.0.0.1:1", "--listen", "127.0.0.1:0"]);
  try {
    await link.prints("games can connect to ");
    const url = (/connect to ws(\S+)/.exec(link.output)?.[1] ?? "").replace(/^/, "http");
    const statusOf = async (headers: Record<string, string>) => (await fetch(url, { headers })).status;
    check.equal([await statusOf({ origin: "https://evil.example" }), await statusOf({})], [403, 426]);
    const taken = new LinkProcess(["--relay", "ws://127.0.0.1:1", "--listen", `127.0.0.1:${new URL(url).port}`]);
    check.equal(await taken.exited, 2);
    await taken.ended;
    check.match(taken.output, /--listen: \d+ on 127\.0\.0\.1 is in use/);
  } finally {
    check.equal(await link.stop(), 0);
  }
});

test("LK11 a relay that stops answering is found within 12 s", async () => {
  const server = createServer((socket) => {
    socket.once("data", (request) => {
      const key = /sec-websocket-key: (\S+)/i.exec(String(request))?.[1] ?? "";
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      const head = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: Upgrade"];
      socket.write([...head, `sec-websocket-accept: ${accept}`, "", ""].join("\r\n"));
    });
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const link = new LinkProcess(["--relay", `ws://127.0.0.1:${port}`, "--neuro", "ws://127.0.0.1:1", "--token", "t"]);
  await link.prints("connected to the relay");
  const began = performance.now();
  while (!link.output.includes("no answer to a ping") && performance.now() - began < 20_000) await Bun.sleep(100);
  check.that(link.output.includes("no answer to a ping"), link.output);
  check.that(performance.now() - began < 14_000, `${performance.now() - began} ms`);
  await link.stop("SIGKILL");
  server.close();
}, { timeoutMs: 40_000 });

test("LK12 link:<name> is the URL of an upstream; a malformed name, or the same one twice, is an error", () => {
  const errorsOf = (text: string): string => {
    const loaded = load({ file: { name: "relay.yaml", text } });
    return loaded.ok ? "" : loaded.errors.join("\n");
  };
  check.equal(errorsOf("nakurity-client: {url: 'link:neuro'}"), "");
  for (const url of ["link:", "link:a b", `link:${"x".repeat(65)}`, "link://neuro"]) {
    check.match(errorsOf(`nakurity-client: {url: '${url}'}`), /expected link:<name>; a name has 1 to 64 letters, digits/);
  }
  check.match(
    errorsOf("nakurity-clients: [{id: a, url: 'link:n'}, {id: b, url: 'link:n'}]"),
    /nakurity-clients\.1\.url: expected a link of its own; link:n is already the URL of a/,
  );
});
