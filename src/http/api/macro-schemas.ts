/** The schemas of macros. */
import { z } from "zod";
import { MACRO_DATA_LENGTH_MAX, MACRO_LABEL_LENGTH_MAX } from "../../core/limits.ts";
import type { Json } from "../../core/json.ts";
import type { MacroView, Page } from "../../core/view.ts";
import { json, named, pageOf } from "./schemas.ts";

const text = z.string();

export const macro: z.ZodType<MacroView> = named(
  "Macro",
  z.object({
    id: text,
    label: text.describe("Unique."),
    integration: text.describe("The id of the integration."),
    action: text.describe("The integration's name for the action."),
    data: text.nullable().describe("JSON text; null if the action takes no data."),
    by: text.describe("The name of the token with which it was saved last."),
    saved_at: z.int().describe("Milliseconds since 1970."),
  }),
  "An action with its data that operators have saved under a label.",
);
export const macros: z.ZodType<Page<MacroView>> = pageOf("MacroPage", macro);

interface MacroRequest {
  readonly label: string;
  readonly integration: string;
  readonly action: string;
  readonly data?: Json;
}

export const macroRequest: z.ZodType<MacroRequest> = named(
  "MacroRequest",
  z.strictObject({
    label: z.string().min(1).max(MACRO_LABEL_LENGTH_MAX).describe("What operators see."),
    integration: z.string().min(1).max(512).describe("The id of an integration."),
    action: z.string().min(1).describe("The integration's name for the action."),
    data: json.exactOptional().describe(
      `An object, or its JSON as a text, that fits the schema of the action. At most ${MACRO_DATA_LENGTH_MAX} characters.`,
    ),
  }),
  "An action to save under a label.",
);
