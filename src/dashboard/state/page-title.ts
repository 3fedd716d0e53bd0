/** The title of the page: the most urgent state of the relay, visible while another tab is open. */
import { TEXTS } from "../texts.ts";
import { countApprovals, type DashboardState, isDisconnected, isStopped } from "./dashboard-state.ts";

export function pageTitle(state: DashboardState): string {
  const { name, disconnected, stopped, approvals } = TEXTS.title;
  if (state.session.is === "signed_out") return name;
  if (isDisconnected(state)) return `${disconnected} · ${name}`;
  if (isStopped(state)) return `${stopped} · ${name}`;
  const count = countApprovals(state);
  return count > 0 ? `${approvals(count)} · ${name}` : name;
}
