/** The page, imported as text. */
declare const page: string;
export { page as default };
