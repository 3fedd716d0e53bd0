/** Parameters that several operations have. */
import { z } from "zod";
import {
  type AuditFilter,
  type DeadLetterFilter,
  type IntegrationFilter,
  PAGE_LENGTH,
  PAGE_LENGTH_MAX,
  type PageRequest,
} from "../../core/view.ts";

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

const text = (description: string): z.ZodType<string | undefined> =>
  z.string().min(1).max(512).optional().describe(description);
const flag = (description: string): z.ZodType<boolean | undefined> =>
  z.enum(["true", "false"]).transform((value) => value === "true").optional().describe(description);
const instant = (description: string): z.ZodType<number | undefined> => z.int().min(0).optional().describe(description);

/** The parameters of a filter. */
type FilterParameters<Filter> = { readonly [Field in keyof Filter]-?: z.ZodType<Filter[Field] | undefined> };

/** Filters of dead letters. */
export const ofDeadLetters: FilterParameters<DeadLetterFilter> = {
  to: text("The name of the recipient."),
  kind: text("The kind of the message: `command`, `context` or `direct`."),
  reason: text("Why it became a dead letter, such as `expired`."),
};

/** Filters of the audit log. */
export const ofAudit: FilterParameters<AuditFilter> = {
  by: text("The name of a token, or `watcher` and the name of a watcher."),
  action: text("What was done, such as `pause`."),
  target: text("The object of the act."),
  outcome: text("`done`, or the fault that prevented it."),
  since: instant("The earliest time, in milliseconds since 1970."),
  until: instant("The time after the latest, in milliseconds since 1970."),
};

/** Filters of integrations. */
export const ofIntegrations: FilterParameters<IntegrationFilter> = {
  listener: z.enum(["neuro", "intermediary"]).optional().describe("`neuro`: games."),
  upstream: text("The id of the upstream."),
  connected: flag("Connected ones, or those that are expected back."),
  visible: flag("Those whose actions Neuro sees, or does not see."),
  paused: flag("Paused ones, or others."),
  muted: flag("Muted ones, or others."),
  solo: flag("Solo ones, or others."),
  approval: flag("Those whose actions need approval, or others."),
};

/** The parameters that are given. */
export const given = <Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } =>
  // Why the cast: the absent ones are left out.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
