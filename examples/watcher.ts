/**
 * A watcher: prints the events of the relay, one on each line, and sends one command.
 *
 * Run it with `bun examples/watcher.ts [URL] [TOKEN] [TARGET]`; with a TARGET it sends that integration a `ping`. It reconnects, and resumes
 * after the last event that it got.
 */
import process from "node:process";
// In a program of your own: "@nakurity/neuro-relay/watcher".
import { isGap, type RelayError, WatcherClient } from "../src/clients/watcher.ts";

const [url = "ws://127.0.0.1:8765", token = "super-secret-token", target] = process.argv.slice(2);
const watcher = new WatcherClient(url, { name: "example-watcher", token });

watcher.onStatus((status) => {
  if (status.is === "subscribed") console.log(`watching ${status.events.length} kinds of events`);
  if (status.is === "waiting") console.log(`disconnected, again in ${status.retryMs} ms`);
  if (status.is === "refused") {
    console.log(`refused: ${status.error.message}`);
    process.exit(1);
  }
});

if (target !== undefined) {
  const reply = await watcher.command(target, { action: "ping" }).catch(({ code, message }: RelayError) =>
    `${code}: ${message}`
  );
  console.log(`reply ${JSON.stringify(reply)}`);
}

for await (const watched of watcher.events()) {
  if (isGap(watched)) {
    console.log(`missed ${watched.missed ?? "an unknown number of"} events`);
    continue;
  }
  const { event, id: _id, at, ...fields } = watched;
  console.log(`${new Date(at).toISOString().slice(11, 23)} ${event} ${JSON.stringify(fields)}`);
}
