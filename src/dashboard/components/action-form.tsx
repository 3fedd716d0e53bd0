/** A form for the data of one action, and what came of it. */
import { useMemo, useRef, useState } from "hono/jsx/dom";
import { isObject, type Json, parseJson } from "../../core/json.ts";
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
import { type FormField, formFromSchema } from "../lib/schema-form.ts";
import { formatLatency } from "../lib/format.ts";
import { sanitizeLines } from "../lib/sanitize.ts";
import { FieldView } from "./form-fields.tsx";
import { Button } from "./primitives.tsx";

export interface ActionFormProps {
  /** Null: the action takes nothing. */
  readonly schema: Json;
  readonly verb: string;
  /** Why it cannot be sent. */
  readonly disabledReason: string | undefined;
  /** The data, where the action takes any. */
  send(data: Json | undefined): Promise<{ readonly body: ActionOutcome } | { readonly error: string }>;
}

type Said = { readonly tone: "good" | "bad"; readonly text: string };

const RAW: FormField = { is: "raw", label: "Data", description: "", defaultValue: undefined };
let forms = 0;

export function ActionForm(props: ActionFormProps) {
  const { schema, verb, disabledReason } = props;
  const form = useRef(`form-${++forms}`);
  const field = useMemo(() => formFromSchema(schema), [schema]);
  const [isRaw, setRaw] = useState(field.is === "raw");
  const [draft, setDraft] = useState<FormDraft>(() => createDraft(field));
  const [raw, setRawDraft] = useState<FormDraft>(() => createDraft(RAW));
  const [flaws, setFlaws] = useState<readonly FieldError[]>([]);
  const [said, say] = useState<Said | undefined>(undefined);
  const [isBusy, setBusy] = useState(false);
  const takesNothing = schema === null;
  const asJson = (): void => {
    const written = serializeDraft(field, draft);
    setRawDraft({ ...raw, text: written.text === undefined ? raw.text : indented(written.text) });
    setFlaws([]);
    setRaw(true);
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (disabledReason !== undefined || isBusy) return;
    const written = takesNothing
      ? undefined
      : check(schema, isRaw ? serializeDraft(RAW, raw) : serializeDraft(field, draft));
    setFlaws(written?.errors ?? []);
    say(undefined);
    if (written?.errors.length) return focusFlaw(form.current, written.errors);
    setBusy(true);
    say(saidOf(await props.send(written?.text === undefined ? undefined : parseJson(written.text, SCHEMA_DEPTH_MAX))));
    setBusy(false);
  };
  const change = (at: readonly number[], how: (part: FormDraft) => FormDraft): void =>
    (isRaw ? setRawDraft : setDraft)((before) => updateDraft(before, at, how));
  const shape = { at: [], flaws, form: form.current, change };
  return (
    <form class="action-form" noValidate onSubmit={(event: Event) => void submit(event)}>
      <div class="action-fields">
        {takesNothing
          ? <p key="none" class="faint small">This action takes no data.</p>
          : isRaw
          ? <FieldView key="raw" {...shape} field={RAW} draft={raw} />
          : <FieldView key="form" {...shape} field={field} draft={draft} />}
        <p class={flaws.some(({ path }) => path === "" && !isRaw) ? "flaw" : "flaw none"}>
          {flaws.find(({ path }) => path === "")?.message ?? ""}
        </p>
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
          <span class="button-text">{verb}</span>
        </button>
        {takesNothing || field.is === "raw"
          ? null
          : <Button kind="quiet" onPress={isRaw ? () => setRaw(false) : asJson}>{isRaw ? "As a form" : "As JSON"}</Button>}
        <p class={said === undefined ? "said none" : `said ${said.tone}`} role="status">{said?.text ?? ""}</p>
      </div>
    </form>
  );
}

/** What the form cannot know, the whole schema can. */
function check(schema: Json, written: SerializedDraft): SerializedDraft {
  if (written.text === undefined || !isObject(schema)) return written;
  const checked = checkData(compileSchema(schema), written.text);
  return checked.ok ? written : { text: undefined, errors: [{ path: "", message: checked.reason }] };
}

function saidOf(outcome: { readonly body: ActionOutcome } | { readonly error: string }): Said {
  if ("error" in outcome) return { tone: "bad", text: sanitizeLines(outcome.error, 400) };
  const { success, message, ms } = outcome.body;
  const text = `${success ? "Done" : "Failed"} in ${formatLatency(ms)}${
    message === null || message === "" ? "" : `: ${message}`
  }`;
  return { tone: success ? "good" : "bad", text: sanitizeLines(text, 600) };
}

function focusFlaw(form: string, flaws: readonly FieldError[]): void {
  const at = flaws[0]?.path.replaceAll(".", "-") ?? "";
  setTimeout(() => document.getElementById(`${form}-${at}`)?.focus(), 0);
}

const indented = (text: string): string => JSON.stringify(JSON.parse(text), null, 2);
