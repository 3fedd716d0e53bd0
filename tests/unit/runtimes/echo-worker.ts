/** The Worker with echo rooms in its objects. */
import { RelayObject as Relay } from "../../../src/runtimes/workers.ts";
import type { SupervisedService } from "../../../src/relay/mod.ts";
import { echoRoom } from "./echo-room.ts";

export { default } from "../../../src/runtimes/workers.ts";

export class RelayObject extends Relay {
  protected override services(): SupervisedService[] {
    return [echoRoom("intermediary"), echoRoom("neuro"), echoRoom("brain")];
  }
}
