/** The Worker with echo services in its objects. */
import { RelayObject as Relay } from "../../../src/runtimes/workers/worker.ts";
import type { SupervisedService } from "../../../src/relay/mod.ts";
import { echoService } from "./echo-service.ts";

export { default } from "../../../src/runtimes/workers/worker.ts";

export class RelayObject extends Relay {
  protected override services(): SupervisedService[] {
    return [echoService("intermediary"), echoService("neuro"), echoService("brain")];
  }
}
