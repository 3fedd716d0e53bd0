/**
 * An integration of Neuro Relay in TypeScript, with the client of the package: handlers are typed by the schemas of their actions, and
 * results, acks and reconnects are automatic.
 *
 * Run it with `bun examples/jukebox.ts [URL] [TOKEN]`, or with Deno.
 */
import process from "node:process";
// In a program of your own: "@nakurity/neuro-relay/integration".
import { IntegrationClient } from "../src/clients/integration.ts";

const [url = "ws://127.0.0.1:8765", token = "super-secret-token"] = process.argv.slice(2);

const jukebox = new IntegrationClient(url, {
  name: "jukebox",
  token,
  command: ({ from, cmd }) => console.log(`command from ${from}: ${JSON.stringify(cmd)}`),
});

jukebox.action("play_song", {
  description: "Play a song on the jukebox.",
  schema: { type: "object", properties: { title: { type: "string" } }, required: ["title"] },
  handler: ({ title }) => {
    console.log(`action play_song ${JSON.stringify({ title })}`);
    return `${title} is playing.`;
  },
});
jukebox.action("stop_music", {
  description: "Stop the music.",
  handler: () => {
    console.log("action stop_music");
    return "The music has stopped.";
  },
});

jukebox.context("The jukebox is on.");
jukebox.force({ query: "What should the jukebox do?", actions: ["play_song", "stop_music"] });

for await (const event of jukebox.events()) {
  if (event.is === "registered") console.log(`registered as ${event.name}`);
  if (event.is === "waiting") console.log(`disconnected, again in ${event.retryMs} ms`);
  if (event.is === "messageRefused") console.log(`the relay refused something: ${event.error.message}`);
  if (event.is === "takenOver" || event.is === "refused") {
    console.log(event.error.message);
    process.exit(1);
  }
}
