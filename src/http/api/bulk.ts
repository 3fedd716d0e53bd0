/** One command for several items, one after the other. Each is checked, carried out and audited as if it came alone. */
import { type BulkFailure, type BulkOutcome, type Page, PAGE_LENGTH_MAX } from "../../core/view.ts";
import type { RequestResult } from "../../engine/mod.ts";

/** Items that one request handles at most. */
export const BULK_MAX: number = PAGE_LENGTH_MAX;

/** Carries a command out for each id. */
export async function forEach(
  ids: readonly string[],
  run: (id: string) => Promise<RequestResult<unknown>>,
  more = false,
): Promise<BulkOutcome> {
  const failed: BulkFailure[] = [];
  for (const id of ids) {
    const result = await run(id);
    if ("body" in result) continue;
    const { fault, reason } = result;
    failed.push({ id, fault, ...(reason !== undefined && { detail: reason }) });
  }
  return { done: ids.length - failed.length, failed, more };
}

/** The same for each item of the first page of a list. */
export async function forEachItem(
  page: RequestResult<Page<{ readonly id: string }>>,
  run: (id: string) => Promise<RequestResult<unknown>>,
): Promise<RequestResult<BulkOutcome>> {
  if ("fault" in page) return page;
  const { items, next } = page.body;
  return { body: await forEach(items.map(({ id }) => id), run, next !== null) };
}
