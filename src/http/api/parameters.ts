/** Parameters that several operations have. */
import { z } from "zod";
import { PAGE_LENGTH, PAGE_LENGTH_MAX, type PageRequest } from "../../core/view.ts";

/** An id or a name in a path. The service decides whether it exists. */
export const id = (description: string): z.ZodType<string> => z.string().min(1).max(512).describe(description);

const limit: z.ZodType<number | undefined> = z.int().min(1).max(PAGE_LENGTH_MAX).optional()
  .describe(`Maximum number of items, from 1 to ${PAGE_LENGTH_MAX}. Default: ${PAGE_LENGTH}.`);

const after = (pattern: RegExp): z.ZodType<string | undefined> =>
  z.string().regex(pattern, "is not the `next` of a page").optional().describe("The `next` of the previous page.");

// Why not an interface: a record of schemas must not have other fields.
type PageParameters = { readonly after: z.ZodType<string | undefined>; readonly limit: z.ZodType<number | undefined> };

/** Lists in the order of ids that the relay generates. */
export const byId: PageParameters = { after: after(/^\d{1,16}-\d{1,16}$/), limit };
/** Lists in the order of integrations' ids, or of sessions' names. */
export const bySlug: PageParameters = { after: after(/^[a-z0-9_-]{1,128}$/), limit };
/** Lists in the order of integrations' ids, then of ids of diagnostics. */
export const byDiagnostic: PageParameters = {
  after: after(/^(?:[a-z0-9_-]{1,128}|[a-z0-9_-]{0,128}\.[a-z_]{1,64})$/),
  limit,
};
/** Lists in the order of the names of relays or nodes. */
export const byPlace: PageParameters = { after: after(/^[A-Za-z0-9_.-]{1,64}$/), limit };
/** Lists in the order of names. */
export const byName: PageParameters = { after: after(/^[^]{1,512}$/), limit };

export interface PageRequestInput {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** The page that is requested, without absent fields. */
export const pageRequest = ({ after, limit }: PageRequestInput): PageRequest => ({
  ...(after !== undefined && { after }),
  ...(limit !== undefined && { limit }),
});
