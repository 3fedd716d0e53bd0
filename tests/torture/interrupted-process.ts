/** Starts a relay, pauses it, and prints its process id: a series of kills at the moment in which it is interrupted. */
import { exitOnSignals } from "../harness/children.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";

exitOnSignals();
await inFolder(async (folder) => {
  const relay = await RelayProcess.start(folder, ["queue.backend=memory"]);
  relay.signal("SIGSTOP");
  console.log(relay.pid);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
