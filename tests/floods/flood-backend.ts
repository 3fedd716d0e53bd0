/** A backend that floods every connection with small frames, as fast as they are read. It prints its port. */
import { createHash } from "node:crypto";
import { createServer } from "node:net";

const CHUNK_BYTES = 65_536;
const payload = new TextEncoder().encode('{"command":"x"}');
const unit = Uint8Array.of(0x81, payload.length, ...payload);
const chunk = Buffer.concat(Array.from({ length: CHUNK_BYTES / unit.length }, () => unit));

const server = createServer((socket) => {
  const write = () => {
    for (let count = 0; count < 4; count++) if (!socket.write(chunk)) return;
    setImmediate(write);
  };
  socket.once("data", (head) => {
    const key = /Sec-WebSocket-Key: (\S+)/i.exec(String(head))?.[1] ?? "";
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    write();
  });
  socket.on("data", () => {});
  socket.on("drain", write);
  socket.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as { readonly port: number }).port));
