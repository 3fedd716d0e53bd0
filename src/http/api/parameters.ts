/** Parameters that several operations have. */
import { z } from "zod";
import { PAGE_LENGTH, PAGE_LENGTH_MAX } from "../../core/view.ts";

/** An id or a name in a path. Whether there is such a thing is for the room to say. */
export const id = (says: string): z.ZodType<string> => z.string().min(1).max(512).describe(says);

const limit: z.ZodType<number | undefined> = z.int().min(1).max(PAGE_LENGTH_MAX).optional()
  .describe(`So many items at most; ${PAGE_LENGTH} when it is not given.`);

const after = (pattern: RegExp): z.ZodType<string | undefined> =>
  z.string().regex(pattern, "this is no `next` of a page").optional().describe("`next` of the page before.");

/** Why no interface: a record of fields is to have no others. */
type PartFields = { readonly after: z.ZodType<string | undefined>; readonly limit: z.ZodType<number | undefined> };

/** Lists in the order of ids that the relay gives out. */
export const byId: PartFields = { after: after(/^\d{1,16}-\d{1,16}$/), limit };
/** Lists in the order of the ids of integrations. */
export const bySlug: PartFields = { after: after(/^[a-z0-9_-]{1,128}$/), limit };
/** Lists in the order of names. */
export const byName: PartFields = { after: after(/^[^]{1,512}$/), limit };

interface Part {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** What was given of a part, and nothing else. */
export const part = ({ after, limit }: Part): { readonly after?: string; readonly limit?: number } => ({
  ...(after !== undefined && { after }),
  ...(limit !== undefined && { limit }),
});
