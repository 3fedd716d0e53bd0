/** How a connection to Neuro stands, in words. */
import { linkNameOf } from "../../core/text.ts";
import type { UpstreamView } from "../../core/view.ts";
import { AWAITS_LINK, UPSTREAM_STATES } from "../texts.ts";

/** A relay that waits for `neuro-relay link` does not connect by itself, so a person has to do something. */
export const upstreamWord = ({ state, url }: Pick<UpstreamView, "state" | "url">): string =>
  state === "dialing" && url !== null && linkNameOf(url) !== undefined ? AWAITS_LINK : UPSTREAM_STATES[state];
