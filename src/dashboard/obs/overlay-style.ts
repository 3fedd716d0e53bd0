/** The appearance of the overlay: CSS variables that the fragment of its address may set. */

/** What can be set, as in `#token=...&accent=orange&size=32px`. Each is the CSS variable `--overlay-<name>`. */
export const OVERLAY_VARIABLES = ["accent", "align", "background", "font", "radius", "size", "text", "width"] as const;

/** Longest value. */
const VALUE_LENGTH_MAX = 100;

/**
 * The variables in a fragment, with or without its `#`, and their values. Others are ignored, such as `token`.
 *
 * Why not a stylesheet of the user: the page's policy allows only its own, and OBS adds one to the page as text.
 */
export function overlayVariables(fragment: string): readonly (readonly [variable: string, value: string])[] {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  return OVERLAY_VARIABLES.flatMap((name) => {
    const value = given.get(name)?.slice(0, VALUE_LENGTH_MAX) ?? "";
    return value === "" ? [] : [[`--overlay-${name}`, value] as const];
  });
}
