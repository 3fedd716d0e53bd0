/** Dark or light: the theme of the system, until a person selects one. */

export type Theme = "system" | "dark" | "light";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "dark", dark: "light", light: "system" };

/** The theme of a stored value. */
export const themeOf = (value: string | undefined): Theme => (value === "dark" || value === "light" ? value : "system");

/** The theme that the button chooses next. */
export const nextTheme = (theme: Theme): Theme => NEXT[theme];
