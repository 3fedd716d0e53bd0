/** A form for the data of one action, and its result. */
import { useId, useMemo, useState } from "hono/jsx/dom";
import { canonicalJson, isObject, type Json, parseJson } from "../../core/json.ts";
import { SCHEMA_DEPTH_MAX } from "../../core/limits.ts";
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
import { formatLatency } from "../lib/format.ts";
import { sanitizeLines } from "../lib/sanitize.ts";
import { type FormField, formFromSchema } from "../lib/schema-form.ts";
import type { RequestOutcome } from "../state/dashboard-store.ts";
import { TEXTS } from "../texts.ts";
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
  send(data: Json | undefined): Promise<RequestOutcome<ActionOutcome>>;
}

interface FormResult {
  readonly tone: "good" | "bad";
  readonly text: string;
}

export function ActionForm({ schema, initial, submitText, disabledReason, send }: ActionFormProps) {
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
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (disabledReason !== undefined || isBusy) return;
    const written = isJson ? serializeDraft(JSON_FIELD, jsonDraft) : serializeDraft(field, draft);
    const data = takesNoData ? NO_DATA : validate(schema, written);
    setErrors(data.ok ? [] : data.errors);
    setResult(undefined);
    if (!data.ok) return focusFirstError(form, data.errors);
    setBusy(true);
    setResult(resultOf(await send(data.json === "" ? undefined : parseJson(data.json, SCHEMA_DEPTH_MAX))));
    setBusy(false);
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
        <p class={result === undefined ? "form-result hidden" : `form-result ${result.tone}`} role="status">
          {result?.text ?? ""}
        </p>
      </div>
    </form>
  );
}

/** False for data with members that the form does not have: as a form it would lose them. */
function fits(field: FormField, value: Json | undefined): boolean {
  if (value === undefined) return true;
  const written = serializeDraft(field, createDraft(field, value));
  return written.ok && canonicalJson(parseJson(written.json, SCHEMA_DEPTH_MAX)) === canonicalJson(value);
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
  const { success, message, ms } = outcome.body;
  const summary = success ? TEXT.done(formatLatency(ms)) : TEXT.failed(formatLatency(ms));
  const text = message === null || message === "" ? summary : `${summary}: ${message}`;
  return { tone: success ? "good" : "bad", text: sanitizeLines(text, 600) };
}

function focusFirstError(form: string, errors: readonly FieldError[]): void {
  const path = errors[0]?.path.replaceAll(".", "-") ?? "";
  setTimeout(() => document.getElementById(`${form}-${path}`)?.focus(), 0);
}

const indented = (json: string): string => JSON.stringify(parseJson(json, SCHEMA_DEPTH_MAX), null, 2);
