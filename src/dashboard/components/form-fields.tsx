/** The fields of a form that was made from a schema. */
import { createDraft, type FieldError, type FormDraft } from "../lib/form-draft.ts";
import type { ChoiceField, FormField, GroupField, ListField, NumberField, TextField } from "../lib/schema-form.ts";
import { sanitize } from "../lib/sanitize.ts";
import { Button } from "./primitives.tsx";

export interface FieldProps<Kind extends FormField = FormField> {
  readonly field: Kind;
  readonly draft: FormDraft;
  /** Its place: the indexes of parts. */
  readonly at: readonly number[];
  readonly flaws: readonly FieldError[];
  /** Of the form; the ids of its inputs begin with it. */
  readonly form: string;
  /** Its name is to be seen beside it already; it is still read out. */
  readonly isNamed?: boolean;
  change(at: readonly number[], how: (part: FormDraft) => FormDraft): void;
}

const idOf = ({ form, at }: FieldProps): string => `${form}-${at.join("-")}`;
const flawOf = ({ at, flaws }: FieldProps): string => flaws.find((flaw) => flaw.path === at.join("."))?.message ?? "";

/** One field with what belongs to it, whatever it is. */
export function FieldView(props: FieldProps) {
  const { field } = props;
  switch (field.is) {
    case "group":
      return <Group {...props} field={field} />;
    case "list":
      return <List {...props} field={field} />;
    default:
      return <Single {...props} />;
  }
}

const labelClass = ({ field, isNamed = false }: FieldProps): string =>
  field.label === "" ? "none" : isNamed ? "unseen" : "field-label";

function Single(props: FieldProps) {
  const { field } = props;
  const [id, flaw] = [idOf(props), flawOf(props)];
  return (
    <div class={flaw === "" ? "field" : "field has-flaw"}>
      <label class={labelClass(props)} for={id}>
        <bdi>{sanitize(field.label, 80)}</bdi>
      </label>
      <Input {...props} />
      <p class={field.description === "" ? "hint none" : "hint"} id={`${id}-hint`}>{sanitize(field.description, 300)}</p>
      <p class={flaw === "" ? "flaw none" : "flaw"} id={`${id}-flaw`}>{sanitize(flaw, 200)}</p>
    </div>
  );
}

function Input(props: FieldProps) {
  const { field } = props;
  switch (field.is) {
    case "text":
      return <Text {...props} field={field} />;
    case "number":
      return <NumberInput {...props} field={field} />;
    case "choice":
      return <Choice {...props} field={field} />;
    case "yes or no":
      return <YesOrNo {...props} />;
    case "fixed":
      return <output id={idOf(props)} class="fixed">{sanitize(JSON.stringify(field.value), 200)}</output>;
    default:
      return <Area {...props} />;
  }
}

/** What every input says about itself. */
function attributes(props: FieldProps) {
  const id = idOf(props);
  const isFlawed = flawOf(props) !== "";
  return {
    id,
    "aria-invalid": isFlawed ? "true" : undefined,
    "aria-describedby": `${id}-hint ${id}-flaw`,
    "aria-label": props.field.label === "" ? `item ${(props.at.at(-1) ?? 0) + 1}` : undefined,
  };
}

const typed = ({ at, change }: FieldProps) => (event: Event): void => {
  const { value } = event.target as HTMLInputElement;
  change(at, (part) => ({ ...part, text: value, isIncluded: true }));
};

function Text(props: FieldProps<TextField>) {
  const { field, draft } = props;
  const isLong = field.maxLength > 120 && /message|text|description|body|prompt|content/i.test(field.label);
  if (isLong) return <textarea {...attributes(props)} rows={3} value={draft.text} onInput={typed(props)} />;
  return <input {...attributes(props)} type="text" autocomplete="off" value={draft.text} onInput={typed(props)} />;
}

function NumberInput(props: FieldProps<NumberField>) {
  const { field, draft } = props;
  const bound = (value: number | undefined): string => (value === undefined ? "" : String(value));
  return (
    <span class="with-range">
      <input
        {...attributes(props)}
        type="text"
        inputmode={field.isInteger ? "numeric" : "decimal"}
        autocomplete="off"
        value={draft.text}
        onInput={typed(props)}
      />
      <span class="range faint small">{rangeText(bound(field.min), bound(field.max), field)}</span>
    </span>
  );
}

function rangeText(least: string, most: string, { isMinExclusive, isMaxExclusive, isInteger }: NumberField): string {
  const kind = isInteger ? "whole number" : "number";
  if (least === "" && most === "") return kind;
  if (most === "") return `${kind}, ${isMinExclusive ? "more than" : "at least"} ${least}`;
  if (least === "") return `${kind}, ${isMaxExclusive ? "less than" : "at most"} ${most}`;
  return `${kind}, ${least} to ${most}${isMinExclusive || isMaxExclusive ? ", ends excluded" : ""}`;
}

function Choice(props: FieldProps<ChoiceField>) {
  const { field, draft } = props;
  const shownOption = (option: ChoiceField["options"][number]): string =>
    sanitize(typeof option === "string" ? option : JSON.stringify(option), 80);
  return (
    <select {...attributes(props)} value={draft.text} onChange={typed(props)}>
      <option value="-1">choose…</option>
      {field.options.map((option, at) => <option key={String(at)} value={String(at)}>{shownOption(option)}</option>)}
    </select>
  );
}

function YesOrNo(props: FieldProps) {
  const { at, draft, change } = props;
  const flip = (event: Event): void => {
    const { checked } = event.target as HTMLInputElement;
    change(at, (part) => ({ ...part, text: String(checked), isIncluded: true }));
  };
  return (
    <span class="switch">
      <input {...attributes(props)} type="checkbox" checked={draft.text === "true"} onChange={flip} />
      <span>{draft.text === "true" ? "true" : "false"}</span>
    </span>
  );
}

function Area(props: FieldProps) {
  return (
    <textarea
      {...attributes(props)}
      class="code"
      rows={4}
      spellcheck={false}
      placeholder="JSON"
      value={props.draft.text}
      onInput={typed(props)}
    />
  );
}

function Group(props: FieldProps<GroupField>) {
  const { field, draft, at } = props;
  const members = field.members.map((member, index) => (
    <MemberView key={`${index}`} {...props} member={member} index={index} />
  ));
  if (at.length === 0) return <div class="group">{members}</div>;
  return (
    <fieldset class="group nested">
      <legend class={labelClass(props)}>
        <bdi>{sanitize(field.label, 80)}</bdi>
      </legend>
      <p class={field.description === "" ? "hint none" : "hint"}>{sanitize(field.description, 300)}</p>
      {draft.children.length === 0 ? <p class="faint small">nothing to fill in</p> : members}
    </fieldset>
  );
}

type MemberProps = FieldProps<GroupField> & { readonly member: GroupField["members"][number]; readonly index: number };

function MemberView({ member, index, ...props }: MemberProps) {
  const { draft, at, change } = props;
  const part = draft.children[index];
  if (part === undefined) return null;
  const place = [...at, index];
  if (member.isRequired) return <FieldView {...props} field={member.field} draft={part} at={place} isNamed={false} />;
  const flip = (): void => change(place, (now) => ({ ...now, isIncluded: !now.isIncluded }));
  return (
    <div class={part.isIncluded ? "optional is-given" : "optional"}>
      <label class="optional-switch small">
        <input type="checkbox" checked={part.isIncluded} onChange={flip} />
        <span>
          <bdi>{sanitize(member.name, 60)}</bdi> <span class="faint">optional</span>
        </span>
      </label>
      <div class="optional-field">
        {part.isIncluded ? <FieldView {...props} field={member.field} draft={part} at={place} isNamed /> : null}
      </div>
    </div>
  );
}

function List(props: FieldProps<ListField>) {
  const { field, draft, at, change } = props;
  const flaw = flawOf(props);
  const add = (): void =>
    change(at, (part) => ({ ...part, isIncluded: true, children: [...part.children, createDraft(field.item)] }));
  const remove = (index: number): void =>
    change(at, (part) => ({ ...part, children: part.children.filter((_item, place) => place !== index) }));
  return (
    <fieldset class="group nested">
      <legend class={labelClass(props)}>
        <bdi>{sanitize(field.label, 80)}</bdi>
      </legend>
      <p class={field.description === "" ? "hint none" : "hint"}>{sanitize(field.description, 300)}</p>
      <div class="items">
        {draft.children.map((part, index) => (
          <div key={`${index}`} class="item">
            <FieldView {...props} field={field.item} draft={part} at={[...at, index]} isNamed={false} />
            <Button kind="quiet" icon="close" label={`Remove item ${index + 1}`} onPress={() => remove(index)} />
          </div>
        ))}
      </div>
      <p class={flaw === "" ? "flaw none" : "flaw"}>{sanitize(flaw, 200)}</p>
      <Button
        icon="plus"
        onPress={add}
        disabledReason={draft.children.length >= field.maxItems ? `at most ${field.maxItems}` : undefined}
      >
        Add
      </Button>
    </fieldset>
  );
}
