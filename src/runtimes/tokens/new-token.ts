/** Generates tokens. */
const TOKEN_BYTES = 32;

/** 256 random bits in characters that are safe in URLs, YAML and shells. Secret scanners recognise the token by its prefix. */
export function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return `nr_${btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}
