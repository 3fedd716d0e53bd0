/** The client of the HTTP API, against a relay and other servers. */
import { test } from "#runner";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { ApiClient, ApiError } from "../../../src/clients/api-client.ts";
import { check } from "../../harness/check.ts";

/** A server on a free port with this handler. */
async function withServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  try {
    await run(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function failure(asked: Promise<unknown>): Promise<readonly [number, string | undefined, string]> {
  const error = await asked.then(() => undefined, (reason: unknown) => reason);
  check.that(error instanceof ApiError, String(error));
  return [error.status, error.fault, error.message.replace(/http:\S+/, "URL")];
}

test("AP41 a failed request names its reason", async () => {
  const ask = (url: string, timeoutMs = 5_000) => new ApiClient({ url, token: "t", timeoutMs }).request("GET", "overview");
  check.equal(await failure(ask("http://127.0.0.1:1")), [0, undefined, "no response from URL"]);
  await withServer((_, response) => response.end("<html>"), async (url) => {
    check.equal(await failure(ask(url)), [200, undefined, "the server at URL is not a relay"]);
  });
  await withServer((_, response) => void response.writeHead(502).end("<html>"), async (url) => {
    check.equal(await failure(ask(url)), [502, undefined, "status 502"]);
  });
  await withServer(() => {}, async (url) => check.equal((await failure(ask(url, 50)))[0], 0));
  const problem = JSON.stringify({
    status: 409,
    title: "not possible now",
    detail: "Chess is not connected",
    fault: "notNow",
  });
  await withServer((_, response) => void response.writeHead(409).end(problem), async (url) => {
    check.equal(await failure(ask(url)), [409, "notNow", "Chess is not connected"]);
  });
});

test("AP41 the client's token goes to no other server, and its lists are complete", async () => {
  const seen: (string | undefined)[] = [];
  await withServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end("{}");
  }, async (elsewhere) => {
    await withServer((_, response) => void response.writeHead(307, { location: elsewhere }).end(), async (url) => {
      check.equal((await failure(new ApiClient({ url, token: "t" }).request("GET", "overview")))[0], 0);
    });
  });
  check.equal(seen, []);
  const paths: string[] = [];
  await withServer((request, response) => {
    paths.push(request.url ?? "");
    const next = paths.length < 3 ? `a&${paths.length}` : null;
    response.end(JSON.stringify({ items: [paths.length], next }));
  }, async (url) => {
    const items: number[] = [];
    for await (const item of new ApiClient({ url, token: "t" }).list<number>("queue")) items.push(item);
    check.equal(items, [1, 2, 3]);
  });
  check.equal(paths, ["/api/queue?limit=1000", "/api/queue?limit=1000&after=a%261", "/api/queue?limit=1000&after=a%262"]);
});
