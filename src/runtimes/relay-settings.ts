/** The settings of one relay of several that share a configuration. */
import { segment } from "../core/key.ts";
import type { Settings } from "../core/settings.ts";
import { DEFAULT_RELAY, isServed } from "./relay-path.ts";

/**
 * The relay has the upstreams that its name matches, and only the relay at the root has the intercept proxy, the Nallely session and the
 * recording, because there is one of each. The others have folders of their own below the configured ones, which are those of the relay
 * at the root.
 */
export function settingsOfRelay(settings: Settings, name: string): Settings {
  const upstreams = settings["nakurity-clients"].filter(({ relays }) => isServed(name, relays));
  const ids = upstreams.map(({ id }) => id);
  const own: Settings = {
    ...settings,
    "nakurity-clients": upstreams,
    integrations: settings.integrations.map((policy) =>
      policy.upstream === undefined || ids.includes(policy.upstream) ? policy : { ...policy, upstream: undefined }
    ),
  };
  if (name === DEFAULT_RELAY) return own;
  // Why a segment: the names are those of folders, which some file systems compare without case.
  const below = (folder: string): string => `${folder.replace(/[/\\]+$/, "")}/_relays/${segment(name)}`;
  return {
    ...own,
    "intercept-proxy": { ...own["intercept-proxy"], enabled: false },
    nallely: { ...own.nallely, enabled: false },
    queue: { ...own.queue, path: below(own.queue.path) },
    uploads: { ...own.uploads, path: below(own.uploads.path) },
    record: { ...own.record, file: "" },
  };
}
