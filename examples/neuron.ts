/**
 * A small instrument as a neuron of a Nallely session: it receives a pitch and sends its harmony.
 *
 * Run it with `bun examples/neuron.ts [BUS] [TREVOR]`. It may be started before the session and survives resets. A
 * parameter connected to `pitch` is its input; a parameter connected to `harmony` receives the fifth above, while `gate` is not 0.
 */
import process from "node:process";
import { BUS_URL, Neuron, Trevor, TREVOR_URL } from "../src/clients/nallely.ts";

const [url = BUS_URL, trevorUrl = TREVOR_URL] = process.argv.slice(2);

await using harmonizer = Neuron.open({
  name: "harmonizer",
  url,
  parameters: {
    pitch: { direction: "in", range: [0, 127] },
    gate: { direction: "in", range: [0, 1] },
    harmony: { direction: "out", range: [0, 127] },
    notes: { direction: "out", range: [0, 1_000] },
  },
  outOfRange: "clamp",
});
await using trevor = Trevor.open({ url: trevorUrl });

harmonizer.onEvent((event) => {
  if (event.is === "open") console.log(event.again ? "back in the session" : "joined the session");
  if (event.is === "waiting") console.log(`away, again in ${event.retryMs} ms`);
});

let notes = 0;
harmonizer.on("pitch", (pitch) => {
  if (harmonizer.latest("gate") === 0) return;
  harmonizer.send("harmony", pitch + 7);
  harmonizer.send("notes", ++notes);
  console.log(`${pitch} -> ${pitch + 7}`);
});

await harmonizer.ready();
const { missing } = await harmonizer.repair(trevor);
if (missing.length > 0) console.log(`the session does not know ${missing.join(", ")}`);
else console.log("listed");

const { promise: ended, resolve: end } = Promise.withResolvers<void>();
process.once("SIGINT", end);
process.once("SIGTERM", end);
await ended;
