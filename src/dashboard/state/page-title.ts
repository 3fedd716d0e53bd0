/** The title of the page: what is to be known of the relay while another tab is in front. */
import { type DashboardState, isDisconnected, store } from "./store.ts";

const NAME = "Neuro Relay";

/** The most urgent thing first, and only that. */
function titleOf(state: DashboardState): string {
  const neuro = state.overview?.services.neuro;
  const unapproved =
    (neuro?.upstreams ?? []).flatMap(({ pending }) => pending).filter(({ is }) => is === "approval").length;
  if (state.session === "out") return NAME;
  if (isDisconnected(state)) return `Away · ${NAME}`;
  if (neuro?.controls.stopped === true) return `Stopped · ${NAME}`;
  return unapproved > 0 ? `${unapproved} to approve · ${NAME}` : NAME;
}

/** Keeps the title true. */
export function updatePageTitle(): void {
  store.subscribe(() => {
    const title = titleOf(store.state);
    if (document.title !== title) document.title = title;
  });
}
