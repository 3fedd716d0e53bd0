/** Dark or light: as the system has it, until somebody says otherwise. */

export type Theme = "system" | "dark" | "light";

const PLACE = "neuro-relay.theme";
const NEXT: Readonly<Record<Theme, Theme>> = { system: "dark", dark: "light", light: "system" };

let chosen: Theme = kept();

function kept(): Theme {
  try {
    const text = localStorage.getItem(PLACE);
    return text === "dark" || text === "light" ? text : "system";
  } catch {
    return "system";
  }
}

export const theme = (): Theme => chosen;

export function applyTheme(): void {
  document.documentElement.dataset["theme"] = chosen;
}

/** The next of the three. */
export function nextTheme(): Theme {
  chosen = NEXT[chosen];
  try {
    localStorage.setItem(PLACE, chosen);
  } catch {
    // It lasts until the page is loaded again.
  }
  applyTheme();
  dispatchEvent(new Event("theme"));
  return chosen;
}
