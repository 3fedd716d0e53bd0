/**
 * A Brain client: creates a session, changes it, receives the changes of another connection, and requests a prediction.
 *
 * Run it with `bun examples/brain-client.ts [URL]`.
 */
import process from "node:process";
import { BrainClient, BrainError } from "../src/clients/brain.ts";

const [url = "ws://127.0.0.1:9000"] = process.argv.slice(2);
using brain = new BrainClient(url);
using other = new BrainClient(url);

const covenant = { mode: "enforce", frozen_keys: ["id"] };
const session = await brain.createSession({ owner: "example", initialState: { id: 1 }, covenant });

const { promise: notified, resolve: notify } = Promise.withResolvers<void>();
await brain.subscribe(session, ({ seq, changes }) => {
  console.log(`event ${seq}: changed ${JSON.stringify(changes)}`);
  notify();
});
const { state } = await other.apply(session, "ST", { params: { changes: { mood: "calm" } } });
console.log(`the state is ${JSON.stringify(state)}`);
await notified;

try {
  await brain.apply(session, "ST", { params: { changes: { id: 2 } } });
} catch (error) {
  if (!(error instanceof BrainError)) throw error;
  console.log(`refused: ${error.code}`);
}

for await (const { seq, type } of brain.audit(session)) console.log(`${seq} ${type}`);
const { value } = await brain.infer({ math: "6 / 3" });
console.log(`predicted ${value}`);
await brain.closeSession(session);
