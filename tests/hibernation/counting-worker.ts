/** The Worker, with objects that log their creation: hibernation shows in the next creation. */
import { RelayObject as Relay } from "../../src/runtimes/workers/worker.ts";

export { default } from "../../src/runtimes/workers/worker.ts";

export class RelayObject extends Relay {
  constructor(...parts: ConstructorParameters<typeof Relay>) {
    super(...parts);
    console.log("a life begins");
  }
}
