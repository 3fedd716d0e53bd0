/** A form for the data of one action, and its result. */
import { useId, useMemo, useState } from "hono/jsx/dom";
import { canonicalJson, isObject, type Json, parseJson } from "../../core/json.ts";
import { MACRO_LABEL_LENGTH_MAX, SCHEMA_DEPTH_MAX } from "../../core/limits.ts";
import type { ActionOutcome } from "../../core/view.ts";
import { checkData, compileSchema } from "../../services/neuro/codec/validate-data.ts";
import {
  createDraft,
  type FieldError,
  type FormDraft,
  type SerializedDraft,
  serializeDraft,
  updateDraft,
} from "../lib/form-draft.ts";
import { describeOutcome } from "../lib/describe-outcome.ts";
import { sanitizeLines } from "../lib/sanitize.ts";
import { type FormField, formFromSchema } from "../lib/schema-form.ts";
import type { RequestOutcome } from "../state/dashboard-store.ts";
import { TEXTS } from "../texts.ts";
import { sampleData } from "../../services/neuro/standalone/sampler.ts";
import { FieldView } from "./form-fields.tsx";
import { Button } from "./primitives.tsx";

const TEXT = TEXTS.form;
const JSON_FIELD: FormField = { is: "json", label: TEXT.data, description: "", defaultValue: undefined };

export interface ActionFormProps {
  /** Null: the action takes no data. */
  readonly schema: Json;
  /** The data that the form begins with. */
  readonly initial?: Json | undefined;
  readonly submitText: string;
  readonly disabledReason: string | undefined;
  /** What the last values are kept under, while the page is open; undefined for a form that is filled already. */
  readonly memory?: string;
  /** Sends data that does not fit the schema; undefined where that is impossible. */
  sendAnyway?(data: string): Promise<RequestOutcome<unknown>>;
  send(data: Json | undefined): Promise<RequestOutcome<ActionOutcome>>;
  /** Saves the action with its data for everyone; undefined where that is impossible. */
  save?(label: string, data: Json | undefined): Promise<RequestOutcome<unknown>>;
}

interface FormResult {
  readonly tone: "good" | "bad";
  readonly text: string;
}

/** The data that was sent last, by `memory`. */
const lastValues = new Map<string, Json>();
const LAST_VALUES_MAX = 200;

function remember(memory: string | undefined, data: Json | undefined): void {
  if (memory === undefined || data === undefined) return;
  lastValues.delete(memory);
  lastValues.set(memory, data);
  const [oldest] = lastValues.keys();
  if (lastValues.size > LAST_VALUES_MAX && oldest !== undefined) lastValues.delete(oldest);
}

export function ActionForm(props: ActionFormProps) {
  const { schema, initial, submitText, disabledReason, memory, sendAnyway, send, save } = props;
  const form = useId();
  const field = useMemo(() => formFromSchema(schema), [schema]);
  const [isJson, setJson] = useState(() => field.is === "json" || !fits(field, initial));
  const [draft, setDraft] = useState<FormDraft>(() => createDraft(field, initial));
  const [jsonDraft, setJsonDraft] = useState<FormDraft>(() => createDraft(JSON_FIELD, initial));
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [result, setResult] = useState<FormResult | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const takesNoData = schema === null;

  const switchMode = (): void => {
    const written = serializeDraft(field, draft);
    if (!isJson && written.ok) setJsonDraft({ ...jsonDraft, text: indented(written.json) });
    setErrors([]);
    setJson(!isJson);
  };
  /** Does something with the data, if it is valid, and shows the result. */
  const withData = async (use: (value: Json | undefined) => Promise<FormResult>): Promise<void> => {
    if (isBusy) return;
    const written = isJson ? serializeDraft(JSON_FIELD, jsonDraft) : serializeDraft(field, draft);
    const data = takesNoData ? NO_DATA : validate(schema, written);
    setErrors(data.ok ? [] : data.errors);
    setResult(undefined);
    if (!data.ok) return focusFirstError(form, data.errors);
    setBusy(true);
    const value = data.json === "" ? undefined : parseJson(data.json, SCHEMA_DEPTH_MAX);
    remember(memory, value);
    setResult(await use(value));
    setBusy(false);
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (disabledReason !== undefined) return;
    await withData(async (value) => resultOf(await send(value)));
  };
  const saveAs = (label: string): Promise<void> =>
    withData(async (value) => {
      const outcome = await save?.(label, value);
      if (outcome?.ok !== true) return { tone: "bad", text: sanitizeLines(outcome?.error ?? "", 400) };
      return { tone: "good", text: TEXT.savedMacro(sanitizeLines(label, 60)) };
    });
  const fill = (value: Json | undefined): void => {
    if (value === undefined) return;
    setErrors([]);
    setDraft(createDraft(field, value));
    setJsonDraft(createDraft(JSON_FIELD, value));
    if (!fits(field, value)) setJson(true);
  };
  // Why not of every form: what the fields do not accept cannot be written as JSON.
  const typed = isJson ? jsonDraft.text : textOfDraft(field, draft);
  const force = async (): Promise<void> => {
    const outcome = typed === undefined ? undefined : await sendAnyway?.(typed);
    if (outcome?.ok === true) setResult({ tone: "good", text: TEXT.sentAnyway });
  };
  const change = (path: readonly number[], update: (child: FormDraft) => FormDraft): void =>
    (isJson ? setJsonDraft : setDraft)((before) => updateDraft(before, path, update));
  const shared = { path: [], errors, form, change };
  const formError = errors.find(({ path }) => path === "")?.message;
  return (
    <form class="action-form" noValidate onSubmit={(event: Event) => void submit(event)}>
      <div class="action-fields">
        {takesNoData
          ? <p key="none" class="faint small">{TEXT.takesNoData}</p>
          : isJson
          ? <FieldView key="json" {...shared} field={JSON_FIELD} draft={jsonDraft} />
          : <FieldView key="form" {...shared} field={field} draft={draft} />}
        <p class={formError !== undefined && !isJson ? "field-error" : "field-error hidden"}>{formError ?? ""}</p>
      </div>
      <div class="action-end">
        <button
          type="submit"
          class="button main"
          title={disabledReason}
          aria-disabled={disabledReason === undefined ? undefined : "true"}
          aria-busy={isBusy ? "true" : undefined}
          data-name="send"
        >
          <span class="button-text">{submitText}</span>
        </button>
        {takesNoData || field.is === "json"
          ? null
          : <Button kind="quiet" onPress={switchMode}>{isJson ? TEXT.asForm : TEXT.asJson}</Button>}
        {takesNoData || memory === undefined
          ? null
          : <Button key="sample" kind="quiet" name="sample" onPress={() => fill(sampleFor(schema))}>{TEXT.sample}</Button>}
        {memory === undefined || !lastValues.has(memory)
          ? null
          : (
            <Button key="last" kind="quiet" name="last-values" onPress={() => fill(lastValues.get(memory))}>
              {TEXT.lastValues}
            </Button>
          )}
        {errors.length === 0 || sendAnyway === undefined || typed === undefined
          ? null
          : <Button key="anyway" kind="danger" name="send-anyway" onPress={force}>{TEXT.sendAnyway}</Button>}
        {save === undefined ? null : <MacroLabel key="macro" save={saveAs} />}
        <p class={result === undefined ? "form-result hidden" : `form-result ${result.tone}`} role="status">
          {result?.text ?? ""}
        </p>
      </div>
    </form>
  );
}

/** Asks for the label of a macro. Why no form: it is inside one. */
function MacroLabel({ save }: { save(label: string): Promise<void> }) {
  const [label, setLabel] = useState<string | undefined>(undefined);
  if (label === undefined) {
    return <Button kind="quiet" name="save-macro" onPress={() => setLabel("")}>{TEXT.saveMacro}</Button>;
  }
  const submit = async (): Promise<void> => {
    if (label.trim() !== "") await save(label.trim());
  };
  return (
    <span class="macro-label">
      <input
        type="text"
        aria-label={TEXT.macroLabel}
        placeholder={TEXT.macroLabel}
        maxlength={MACRO_LABEL_LENGTH_MAX}
        value={label}
        onInput={(event: Event) => setLabel((event.target as HTMLInputElement).value)}
        onKeyDown={(event: KeyboardEvent) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          void submit();
        }}
      />
      <Button name="save-label" onPress={submit}>{TEXT.save}</Button>
    </span>
  );
}

/** False for data with members that the form does not have: as a form it would lose them. */
function fits(field: FormField, value: Json | undefined): boolean {
  if (value === undefined) return true;
  const written = serializeDraft(field, createDraft(field, value));
  return written.ok && canonicalJson(parseJson(written.json, SCHEMA_DEPTH_MAX)) === canonicalJson(value);
}

function textOfDraft(field: FormField, draft: FormDraft): string | undefined {
  const written = serializeDraft(field, draft);
  return written.ok ? written.json : undefined;
}

const SAMPLES_MAX = 20;

/** Generated data that fits the schema. Why several attempts: the generator does not know every keyword. */
function sampleFor(schema: Json): Json | undefined {
  if (!isObject(schema)) return undefined;
  const ready = compileSchema(schema);
  for (let attempt = 0; attempt < SAMPLES_MAX; attempt++) {
    const sample = sampleData(ready.normalized, Math.random, "varied");
    if (checkData(ready, JSON.stringify(sample)).ok) return sample;
  }
  return undefined;
}

const NO_DATA: SerializedDraft = { ok: true, json: "" };

/** Checks the data against the whole schema, because the form knows only a part of it. */
function validate(schema: Json, written: SerializedDraft): SerializedDraft {
  if (!written.ok || !isObject(schema)) return written;
  const checked = checkData(compileSchema(schema), written.json);
  return checked.ok ? written : { ok: false, errors: [{ path: "", message: checked.reason }] };
}

function resultOf(outcome: RequestOutcome<ActionOutcome>): FormResult {
  if (!outcome.ok) return { tone: "bad", text: sanitizeLines(outcome.error, 400) };
  const [tone, text] = describeOutcome(outcome.body);
  return { tone, text };
}

/** Moves the focus to the first field with an error; in a text of JSON, to the place of the error. */
function focusFirstError(form: string, [first]: readonly FieldError[]): void {
  const path = first?.path.replaceAll(".", "-") ?? "";
  setTimeout(() => {
    const input = document.getElementById(`${form}-${path}`);
    input?.focus();
    if (first?.index !== undefined && input instanceof HTMLTextAreaElement) {
      input.setSelectionRange(first.index, first.index + 1);
    }
  }, 0);
}

const indented = (json: string): string => JSON.stringify(parseJson(json, SCHEMA_DEPTH_MAX), null, 2);
