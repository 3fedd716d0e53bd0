/** The integrations of the service, as the built-in Neuro sees them. */
import type { Behaviour } from "../../../core/settings.ts";
import type { DeciderHost } from "../standalone/decider-state.ts";
import { resolveBehaviour } from "../standalone/behaviour.ts";
import { reportProblem } from "../outbound.ts";
import type { Game, NeuroState } from "../state.ts";

export const deciderHost = (state: NeuroState): DeciderHost => ({
  retained: state.retained,
  report: (from, problem, ctx) => reportProblem(state, from, problem, ctx),
  behaviourOf: (from) => behaviourTowards(state, from === undefined ? undefined : gameNamed(state, from)),
  actionsOf: (from) => [...gameNamed(state, from)?.actions.values() ?? []].map(({ upstreamAction }) => upstreamAction.name),
  hasForce: () =>
    state.upstreams.values().some(({ forces: { current } }) => current !== undefined && current.state.is !== "overdue"),
  ownersOf: (action) =>
    [...state.upstreams.values()].flatMap(({ actions }) =>
      [...actions.get(action)?.owners.values() ?? []].map(({ game }) => game.name)
    ),
});

/** The most specific choice: an operator's for the integration, its policy's, an operator's for all, the settings. */
function behaviourTowards({ settings, controls }: NeuroState, game: Game | undefined): Behaviour {
  const chosen = game?.controls.behaviour ?? game?.policy.behaviour ?? controls.behaviour ?? undefined;
  return resolveBehaviour(settings["nakurity-backend"].behaviour, chosen);
}

/** The integration with that name. Why two look-ups: each listener has one of that name, and a search would pass all of them. */
export const gameNamed = ({ games }: NeuroState, name: string): Game | undefined =>
  games.get(`neuro:${name}`) ?? games.get(`intermediary:${name}`);
