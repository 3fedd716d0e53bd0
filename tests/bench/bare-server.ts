/** The least that accepts WebSockets: a floor of `bun run bench rest`. Usage: the port. */
const [, , port] = process.argv;

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  fetch: (request, server) => server.upgrade(request) ? undefined : new Response(null, { status: 404 }),
  websocket: { message: (socket, frame) => void socket.send(frame) },
});
