/** The title of the page: what is to be known of the relay while another tab is in front. */
import { isAway, type State, store } from "./store.ts";

const NAME = "Neuro Relay";

/** The most urgent thing first, and only that. */
function titleOf(state: State): string {
  const neuro = state.overview?.services.neuro;
  const unapproved =
    (neuro?.upstreams ?? []).flatMap(({ pending }) => pending).filter(({ is }) => is === "approval").length;
  if (state.session === "out") return NAME;
  if (isAway(state)) return `Away · ${NAME}`;
  if (neuro?.controls.stopped === true) return `Stopped · ${NAME}`;
  return unapproved > 0 ? `${unapproved} to approve · ${NAME}` : NAME;
}

/** Keeps the title true. */
export function keepTitle(): void {
  store.watch(() => {
    const title = titleOf(store.state);
    if (document.title !== title) document.title = title;
  });
}
