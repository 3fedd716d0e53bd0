/** Dark or light: as the system is, until somebody chooses. */

export type Theme = "system" | "dark" | "light";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "dark", dark: "light", light: "system" };

/** The theme that the button chooses next. */
export const nextTheme = (theme: Theme): Theme => NEXT[theme];
