/** An attempt that would fail the same way each time, such as a URL that can never be reached or credentials that are refused. */
export class PermanentError extends Error {}
