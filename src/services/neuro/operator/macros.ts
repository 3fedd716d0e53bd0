/**
 * Macros: actions with their data that operators have saved under a label, for everyone who may send actions.
 *
 * Invariants: M1 a label is unique; M2 when a macro is saved its action is registered, and its data fits the schema; when it is run both
 * are checked again; M3 at most `limits.macros`, each with at most `MACRO_DATA_LENGTH_MAX`.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Entry } from "../../../core/event.ts";
import { isObject, type Json, type JsonObject, plain } from "../../../core/json.ts";
import { MACRO_DATA_LENGTH_MAX, MACRO_LABEL_LENGTH_MAX } from "../../../core/limits.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import { retainedBytes } from "../../../core/retained-bytes.ts";
import { type MacroView, type Page, pageOf, type PageRequest } from "../../../core/view.ts";
import { type Game, type Macro, type NeuroState, newRecord } from "../state.ts";
import { checkActionData } from "./send-action.ts";

interface NewMacro {
  readonly by: string;
  readonly macro: { readonly label: string; readonly name: string; readonly data?: string };
}

/** Saves an action of a game, in place of the macro with the same label. */
export function saveMacro(game: Game, { by, macro }: NewMacro, ctx: StepContext): Result<Macro> {
  const { service: state } = game;
  const [label, action] = [macro.label.trim(), game.actions.get(macro.name)];
  if (label === "" || label.length > MACRO_LABEL_LENGTH_MAX) {
    return failed("badMessage", `a label has 1 to ${MACRO_LABEL_LENGTH_MAX} characters, and this one ${label.length}`);
  }
  if (action === undefined) return failed("notFound", `${game.name} has no action ${macro.name.slice(0, 64)}`);
  const data = checkActionData(action, macro.data);
  if (!data.ok) return data;
  const length = data.value?.length ?? 0;
  if (length > MACRO_DATA_LENGTH_MAX) {
    return failed("badMessage", `the data of a macro has at most ${MACRO_DATA_LENGTH_MAX} characters, and this ${length}`);
  }
  const before = state.macros.values().find(({ view }) => view.label === label);
  const { settings: { limits }, macros, retained } = state;
  if (before === undefined && macros.size >= limits.macros) {
    return failed("queueFull", `${macros.size} macros are saved; \`limits.macros\` allows ${limits.macros}`);
  }
  const id = before?.view.id ?? ctx.id();
  const view = { id, label, integration: game.slug, action: macro.name, data: data.value ?? null, by, saved_at: ctx.now };
  const bytesBefore = before === undefined ? 0 : retainedBytes(before.view);
  const refusal = retained.refusal(retainedBytes(view) - bytesBefore, limits);
  if (refusal !== undefined) return refusal;
  return ok(keepMacro(state, view));
}

/** Why its record stays: the write of it may be in flight. */
export function deleteMacro(state: NeuroState, { view, record }: Macro): void {
  state.macros.delete(view.id);
  state.retained.release(retainedBytes(view));
  state.unsavedRecords.add(record);
}

export function macroAt({ macros }: NeuroState, id: string): Result<Macro> {
  const macro = macros.get(id);
  return macro === undefined ? failed("notFound", `no macro has the id ${id.slice(0, 64)}`) : ok(macro);
}

export const macroPage = ({ macros }: NeuroState, request: PageRequest): Page<MacroView> =>
  pageOf(macros.values().map(({ view }) => view), request, { id: ({ id }) => id });

/** The stored value of a macro; undefined if it is deleted. */
export function macroValue({ macros }: NeuroState, id: string): Json | undefined {
  const macro = macros.get(id);
  return macro && { v: 1, ...plain(macro.view) };
}

/** False if the entry is not a macro. */
export function restoreMacro(state: NeuroState, { key, value }: Entry): boolean {
  if (!isObject(value) || !isMacro(value)) return false;
  const { id, label, integration, action, data, by, saved_at } = value;
  const { record } = keepMacro(state, { id, label, integration, action, data, by, saved_at });
  state.unsavedRecords.delete(record);
  record.storedKey = key;
  return true;
}

function keepMacro(state: NeuroState, view: MacroView): Macro {
  const { macros, retained, unsavedRecords } = state;
  const before = macros.get(view.id);
  if (before !== undefined) retained.release(retainedBytes(before.view));
  retained.charge(retainedBytes(view));
  const record = before?.record ?? newRecord("macro", view.id);
  const macro: Macro = { view, record };
  macros.set(view.id, macro);
  unsavedRecords.add(record);
  return macro;
}

// Why the cast: these entries were written by the relay, and a type guard is the place where their shape is checked.
function isMacro(value: JsonObject): value is JsonObject & MacroView {
  const { id, label, integration, action, data, by, saved_at } = value;
  return [id, label, integration, action, by].every((text) => typeof text === "string") &&
    (data === null || typeof data === "string") && typeof saved_at === "number";
}
