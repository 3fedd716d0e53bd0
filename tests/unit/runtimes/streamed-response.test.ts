import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "#runner";
import { respond } from "../../../src/runtimes/node-http/respond.ts";
import { check } from "../../harness/check.ts";

test("RT201 Node's server sends a stream of events as it comes, and ends it when its client leaves", async () => {
  const left = Promise.withResolvers<void>();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (started) => void (controller = started),
    cancel: () => left.resolve(),
  });
  const handle = () => new Response(body, { headers: { "content-type": "text/event-stream" } });
  const server = createServer((incoming, outgoing) => void respond(incoming, outgoing, handle)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const abort = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: abort.signal });
  const reader = response.body?.getReader();
  for (const text of ["data: 1\n\n", "data: 2\n\n"]) {
    controller?.enqueue(new TextEncoder().encode(text));
    check.equal(new TextDecoder().decode((await reader?.read())?.value), text);
  }
  abort.abort();
  await left.promise;
  server.close();
  server.closeAllConnections();
});
