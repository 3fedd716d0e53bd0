/** The inputs for the fields of a form. */
import { assertNever } from "../../core/assert.ts";
import { createDraft, type FieldError, type FormDraft } from "../lib/form-draft.ts";
import { sanitize } from "../lib/sanitize.ts";
import type { Bound, ChoiceField, FormField, GroupField, ListField, NumberField, TextField } from "../lib/schema-form.ts";
import { TEXTS } from "../texts.ts";
import { Button } from "./primitives.tsx";

const TEXT = TEXTS.form;

export interface FieldProps<Kind extends FormField = FormField> {
  readonly field: Kind;
  readonly draft: FormDraft;
  /** Its place in the form: indexes of children from the root. */
  readonly path: readonly number[];
  readonly errors: readonly FieldError[];
  /** The id of the form; the ids of its inputs begin with it. */
  readonly form: string;
  /** The label is visible beside the field already, so it is only for screen readers. */
  readonly isLabelHidden?: boolean;
  change(path: readonly number[], update: (child: FormDraft) => FormDraft): void;
}

const idOf = ({ form, path }: FieldProps): string => `${form}-${path.join("-")}`;
const errorOf = ({ path, errors }: FieldProps): string =>
  errors.find((error) => error.path === path.join("."))?.message ?? "";

/** A field with its label, its description and its error. */
export function FieldView(props: FieldProps) {
  const { field } = props;
  switch (field.is) {
    case "group":
      return <Group {...props} field={field} />;
    case "list":
      return <List {...props} field={field} />;
    case "text":
    case "number":
    case "boolean":
    case "choice":
    case "constant":
    case "json":
      return <LabelledInput {...props} />;
    default:
      return assertNever(field);
  }
}

const labelClass = ({ field, isLabelHidden = false }: FieldProps): string =>
  field.label === "" ? "hidden" : isLabelHidden ? "visually-hidden" : "field-label";

function Description({ text, id }: { readonly text: string; readonly id?: string }) {
  return <p class={text === "" ? "hint hidden" : "hint"} id={id}>{sanitize(text, 300)}</p>;
}

function ErrorText({ text, id }: { readonly text: string; readonly id?: string }) {
  return <p class={text === "" ? "field-error hidden" : "field-error"} id={id}>{sanitize(text, 200)}</p>;
}

function LabelledInput(props: FieldProps) {
  const { field } = props;
  const [id, error] = [idOf(props), errorOf(props)];
  return (
    <div class={error === "" ? "field" : "field has-error"}>
      <label class={labelClass(props)} for={id}>
        <bdi>{sanitize(field.label, 80)}</bdi>
      </label>
      <Input {...props} />
      <Description text={field.description} id={`${id}-hint`} />
      <ErrorText text={error} id={`${id}-error`} />
    </div>
  );
}

function Input(props: FieldProps) {
  const { field } = props;
  switch (field.is) {
    case "text":
      return <TextInput {...props} field={field} />;
    case "number":
      return <NumberInput {...props} field={field} />;
    case "choice":
      return <ChoiceInput {...props} field={field} />;
    case "boolean":
      return <BooleanInput {...props} />;
    case "constant":
      return <output id={idOf(props)} class="constant">{sanitize(JSON.stringify(field.value), 200)}</output>;
    case "json":
      return <JsonInput {...props} />;
    case "group":
    case "list":
      return null; // Why: these have no input of their own; `FieldView` draws them.
    default:
      return assertNever(field);
  }
}

/** The attributes that every input has. */
function attributes(props: FieldProps) {
  const id = idOf(props);
  return {
    id,
    "aria-invalid": errorOf(props) === "" ? undefined : "true",
    "aria-describedby": `${id}-hint ${id}-error`,
    "aria-label": props.field.label === "" ? TEXT.item((props.path.at(-1) ?? 0) + 1) : undefined,
  };
}

const onTyped = ({ path, change }: FieldProps) => (event: Event): void => {
  const { value } = event.target as HTMLInputElement;
  change(path, (draft) => ({ ...draft, text: value, isIncluded: true }));
};

/** From this length on a text with a telling name gets several lines. */
const LONG_TEXT = 120;
const LONG_TEXT_NAMES = /message|text|description|body|prompt|content/i;

function TextInput(props: FieldProps<TextField>) {
  const { field, draft } = props;
  const isLong = field.maxLength > LONG_TEXT && LONG_TEXT_NAMES.test(field.label);
  if (isLong) return <textarea {...attributes(props)} rows={3} value={draft.text} onInput={onTyped(props)} />;
  return <input {...attributes(props)} type="text" autocomplete="off" value={draft.text} onInput={onTyped(props)} />;
}

function NumberInput(props: FieldProps<NumberField>) {
  const { field, draft } = props;
  return (
    <span class="with-range">
      <input
        {...attributes(props)}
        type="text"
        inputmode={field.isInteger ? "numeric" : "decimal"}
        autocomplete="off"
        value={draft.text}
        onInput={onTyped(props)}
      />
      <span class="range faint small">{rangeText(field)}</span>
    </span>
  );
}

function rangeText({ isInteger, min, max }: NumberField): string {
  const kind = isInteger ? TEXT.integer : TEXT.number;
  const text = (bound: Bound): string => String(bound.value);
  if (min === undefined && max === undefined) return kind;
  if (min !== undefined && max !== undefined) {
    const range = TEXT.between(kind, text(min), text(max));
    return min.isExclusive || max.isExclusive ? TEXT.endsExcluded(range) : range;
  }
  if (min !== undefined) return min.isExclusive ? TEXT.moreThan(kind, text(min)) : TEXT.atLeast(kind, text(min));
  if (max !== undefined) return max.isExclusive ? TEXT.lessThan(kind, text(max)) : TEXT.atMost(kind, text(max));
  return kind;
}

function ChoiceInput(props: FieldProps<ChoiceField>) {
  const { field, draft } = props;
  return (
    <select {...attributes(props)} value={draft.text} onChange={onTyped(props)}>
      <option value="-1">{TEXT.choose}</option>
      {field.options.map((option, index) => (
        <option key={String(index)} value={String(index)}>
          {sanitize(typeof option === "string" ? option : JSON.stringify(option), 80)}
        </option>
      ))}
    </select>
  );
}

function BooleanInput(props: FieldProps) {
  const { path, draft, change } = props;
  const onChange = (event: Event): void => {
    const { checked } = event.target as HTMLInputElement;
    change(path, (before) => ({ ...before, text: String(checked), isIncluded: true }));
  };
  return (
    <span class="switch">
      <input {...attributes(props)} type="checkbox" checked={draft.text === "true"} onChange={onChange} />
      <span>{draft.text === "true" ? TEXT.true : TEXT.false}</span>
    </span>
  );
}

function JsonInput(props: FieldProps) {
  return (
    <textarea
      {...attributes(props)}
      class="code"
      rows={4}
      spellcheck={false}
      placeholder={TEXT.json}
      value={props.draft.text}
      onInput={onTyped(props)}
    />
  );
}

function Group(props: FieldProps<GroupField>) {
  const { field, draft, path } = props;
  const members = field.members.map((member, index) => (
    <MemberView key={`${index}`} {...props} member={member} index={index} />
  ));
  if (path.length === 0) return <div class="group">{members}</div>;
  return (
    <fieldset class="group nested">
      <legend class={labelClass(props)}>
        <bdi>{sanitize(field.label, 80)}</bdi>
      </legend>
      <Description text={field.description} />
      {draft.children.length === 0 ? <p class="faint small">{TEXT.noFields}</p> : members}
    </fieldset>
  );
}

type MemberProps = FieldProps<GroupField> & { readonly member: GroupField["members"][number]; readonly index: number };

function MemberView({ member, index, ...props }: MemberProps) {
  const { draft, path, change } = props;
  const child = draft.children[index];
  if (child === undefined) return null;
  const childPath = [...path, index];
  if (member.isRequired) {
    return <FieldView {...props} field={member.field} draft={child} path={childPath} isLabelHidden={false} />;
  }
  const toggle = (): void => change(childPath, (before) => ({ ...before, isIncluded: !before.isIncluded }));
  return (
    <div class={child.isIncluded ? "optional is-included" : "optional"}>
      <label class="optional-switch small">
        <input type="checkbox" checked={child.isIncluded} onChange={toggle} />
        <span>
          <bdi>{sanitize(member.name, 60)}</bdi> <span class="faint">{TEXT.optional}</span>
        </span>
      </label>
      <div class="optional-field">
        {child.isIncluded
          ? <FieldView {...props} field={member.field} draft={child} path={childPath} isLabelHidden />
          : null}
      </div>
    </div>
  );
}

function List(props: FieldProps<ListField>) {
  const { field, draft, path, change } = props;
  const add = (): void =>
    change(path, (list) => ({ ...list, isIncluded: true, children: [...list.children, createDraft(field.item)] }));
  const remove = (index: number): void =>
    change(path, (list) => ({ ...list, children: list.children.filter((_child, other) => other !== index) }));
  return (
    <fieldset class="group nested">
      <legend class={labelClass(props)}>
        <bdi>{sanitize(field.label, 80)}</bdi>
      </legend>
      <Description text={field.description} />
      <div class="items">
        {draft.children.map((child, index) => (
          <div key={`${index}`} class="item">
            <FieldView {...props} field={field.item} draft={child} path={[...path, index]} isLabelHidden={false} />
            <Button kind="quiet" icon="close" label={TEXT.removeItem(index + 1)} onPress={() => remove(index)} />
          </div>
        ))}
      </div>
      <ErrorText text={errorOf(props)} />
      <Button
        icon="plus"
        onPress={add}
        disabledReason={draft.children.length >= field.maxItems ? TEXT.errors.tooManyItems(field.maxItems) : undefined}
      >
        {TEXT.add}
      </Button>
    </fieldset>
  );
}
