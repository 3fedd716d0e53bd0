/** The name of the relay of this page, except the one at the root. It opens the list of relays. */
import { relayNameOf } from "../lib/page-view.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Button } from "./primitives.tsx";

export function RelayName() {
  const name = relayNameOf(location.pathname);
  if (name === "default") return null;
  return (
    <Button kind="quiet" label={TEXTS.relays.switchRelay} name="relay-name" onPress={() => store.openPanel("relays")}>
      <bdi>{sanitize(name, 64)}</bdi>
    </Button>
  );
}
