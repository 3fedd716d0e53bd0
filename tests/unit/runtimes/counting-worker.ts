/** The Worker, with objects that say when they are made: sleep is seen by what wakes from it. */
import { RelayObject as Relay } from "../../../src/runtimes/workers/worker.ts";

export { default } from "../../../src/runtimes/workers/worker.ts";

export class RelayObject extends Relay {
  constructor(...parts: ConstructorParameters<typeof Relay>) {
    super(...parts);
    console.log("a life begins");
  }
}
