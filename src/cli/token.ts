/** `token`: generates a random token. */
import { Command } from "commander";

const TOKEN_BYTES = 32;

export function tokenCommand(): Command {
  return new Command("token")
    .description("generate a random token, for example for intermediary.auth_token")
    .option("--json", "print JSON")
    .action(({ json }: { readonly json?: true }) => {
      const token = newToken();
      console.log(json ? JSON.stringify({ token }) : token);
    });
}

/** 256 random bits in characters that are safe in URLs, YAML and shells. Secret scanners recognise the token by its prefix. */
export function newToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
  return `nr_${btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}
