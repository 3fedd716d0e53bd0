/** The schemas of tokens. */
import { z } from "zod";
import { ALL_SCOPES } from "../../core/access.ts";
import type { Millis } from "../../core/ids.ts";
import { TOKEN_NAME_LENGTH_MAX, TOKEN_OVERLAP_MS_MAX } from "../../core/limits.ts";
import type { IssuedTokenView, Page, TokenRequest, TokenView } from "../../core/view.ts";
import { named, pageOf } from "./schemas.ts";

const instant = z.int().describe("Milliseconds since 1970.");
const text = z.string();

const token: z.ZodType<TokenView> = named(
  "Token",
  z.object({
    id: text.describe("What it is for, and its name."),
    name: text.describe("The name in the log and in the audit log."),
    use: z.enum(["web", "intermediary", "neuro", "brain"]).describe("`neuro`: the game port."),
    scopes: z.array(text),
    names: z.array(text).describe("Patterns of the names that it is valid for; empty: any name."),
    state: z.enum(["valid", "expired", "revoked"]),
    hashed: z.boolean().describe("Only its hash is stored."),
    issued_at: instant.nullable().describe("When an operator issued it; null: it is in the settings."),
    expires_at: instant.nullable().describe("When it stops to be valid; null: never by itself."),
    last_used_at: instant.nullable(),
    last_address: text.nullable(),
  }),
  "A token of the settings, or one that an operator has issued, without the token itself.",
);
export const tokens: z.ZodType<Page<TokenView>> = pageOf("TokenPage", token);

const NAMES_MAX = 64;

export const tokenRequest: z.ZodType<TokenRequest> = named(
  "TokenRequest",
  z.strictObject({
    use: z.enum(["intermediary", "neuro", "brain"]).describe(
      "`intermediary`: also for the API and the dashboard. `neuro`: the game port.",
    ),
    name: z.string().regex(/^[^\s:@~]+$/, "must not contain spaces, `:`, `@` or `~`").max(TOKEN_NAME_LENGTH_MAX)
      .describe("The name in the log and in the audit log. No other token of this use may have it."),
    scopes: z.array(z.enum(ALL_SCOPES)).max(ALL_SCOPES.length).exactOptional().describe(
      "At least one for `intermediary`, none for the others.",
    ),
    names: z.array(z.string().min(1).max(512)).max(NAMES_MAX).exactOptional().describe(
      "Patterns, with `*`, of the names that it is valid for. Absent: any name.",
    ),
    expires_at: instant.exactOptional().describe(
      "When it stops to be valid, in milliseconds since 1970. Absent: it does not expire.",
    ),
  }),
  "A token to issue.",
);

/** How long a rotated token stays valid by default. */
export const OVERLAP_MS: Millis = 3_600_000;

export const rotationRequest: z.ZodType<{ readonly overlap_ms?: Millis }> = named(
  "RotationRequest",
  z.strictObject({
    overlap_ms: z.int().min(0).max(TOKEN_OVERLAP_MS_MAX).exactOptional().describe(
      `How long the former token stays valid, in milliseconds; 0: its connections are closed at once. Default: ${OVERLAP_MS}, an hour.`,
    ),
  }),
  "How a token is rotated.",
);

export const issuedToken: z.ZodType<IssuedTokenView> = named(
  "IssuedToken",
  z.object({ id: text, token: text.describe("The token itself. It is shown this once.") }),
  "A new token.",
);
