/** The basic components that all others are made of. */
import { type Child, useLayoutEffect, useRef, useState } from "hono/jsx/dom";
import type { Millis } from "../../core/ids.ts";
import { formatDuration } from "../lib/format.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";
import { Icon, type IconName } from "./icons.tsx";

/** A name that a peer chose: one line, isolated text direction, the whole name as a tooltip. */
export function Name({ text, max = 80 }: { readonly text: string; readonly max?: number }) {
  return <bdi class="name" title={sanitize(text, 300)}>{sanitize(text, max)}</bdi>;
}

interface IntegrationLinkProps {
  readonly id: string | undefined;
  readonly name: string;
  readonly tabindex?: -1;
}

/** The name of an integration, which leads to its page. */
export function IntegrationLink({ id, name, tabindex }: IntegrationLinkProps) {
  return (
    <a class="name" href={linkTo("integration", id)} tabindex={tabindex}>
      <bdi>{sanitize(name, 64)}</bdi>
    </a>
  );
}

/** A text of the page, with the parts between backticks as code. */
export function Prose({ text }: { readonly text: string }) {
  return <span>{text.split("`").map((part, index) => index % 2 === 1 ? <code key={`${index}`}>{part}</code> : part)}</span>;
}

export interface ButtonProps {
  readonly children?: Child;
  readonly icon?: IconName;
  readonly label?: string;
  readonly kind?: "plain" | "main" | "danger" | "quiet";
  /** Why it cannot be used now. */
  readonly disabledReason?: string | undefined;
  readonly pressed?: boolean;
  readonly name?: string;
  /** -1 for a button that is reached by the arrow keys of its row. */
  readonly tabindex?: 0 | -1;
  onPress(): unknown;
}

/**
 * A button that is busy until `onPress` is done. A disabled one stays in the tab order and gives its reason, so that the reason can be
 * found.
 */
export function Button(
  { children, icon, label, kind = "plain", disabledReason, pressed, name, tabindex, onPress }: ButtonProps,
) {
  const [isBusy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    if (isBusy) return;
    // Why a toast: a touch screen never shows titles.
    if (disabledReason !== undefined) return store.showToast("bad", disabledReason);
    setBusy(true);
    try {
      await onPress();
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={`button ${kind}${children === undefined ? " only-icon" : ""}`}
      title={disabledReason ?? label}
      aria-label={label}
      aria-pressed={pressed === undefined ? undefined : String(pressed)}
      aria-disabled={disabledReason === undefined ? undefined : "true"}
      aria-busy={isBusy ? "true" : undefined}
      data-name={name}
      tabindex={tabindex}
      onClick={(event: Event) => {
        event.stopPropagation();
        void press();
      }}
    >
      <span class="button-icon">{icon === undefined ? null : <Icon name={icon} />}</span>
      <span class="button-text">{children}</span>
    </button>
  );
}

const CONFIRM_MS = 4_000;

/** A button for something irreversible: it asks for a second press within four seconds. */
export function ConfirmButton({ children, confirmText, ...rest }: ButtonProps & { readonly confirmText: string }) {
  const [isAsking, setAsking] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useLayoutEffect(() => () => clearTimeout(timer.current), []);
  const press = (): unknown => {
    clearTimeout(timer.current);
    setAsking(!isAsking);
    if (isAsking) return rest.onPress();
    timer.current = setTimeout(() => setAsking(false), CONFIRM_MS);
    return;
  };
  return (
    <Button {...rest} kind={isAsking ? "danger" : rest.kind ?? "plain"} onPress={press}>
      {isAsking ? confirmText : children}
    </Button>
  );
}

/** The time until a deadline, as a number and as a bar. */
export function TimeLeft({ since, deadline }: { readonly since: Millis; readonly deadline: Millis }) {
  const now = useStore((state) => state.now);
  const elapsed = Math.min(1, Math.max(0, (now - since) / Math.max(1, deadline - since)));
  const tone = elapsed > 0.8 ? "bad" : elapsed > 0.5 ? "warn" : "good";
  return (
    <span class={`time-left ${tone}`}>
      <span class="bar" role="img" aria-label={TEXTS.now.elapsed(Math.round(elapsed * 100))}>
        <span class="bar-fill" style={{ width: `${(elapsed * 100).toFixed(1)}%` }} />
      </span>
      <span class="num time-left-text">{TEXTS.now.left(formatDuration(deadline - now))}</span>
    </span>
  );
}

export interface SearchInputProps {
  readonly label: string;
  readonly placeholder?: string;
  readonly name?: string;
  readonly value: string;
  onText(text: string): void;
}

/** A field for a search, or for a part of a name. */
export function SearchInput({ label, placeholder = label, name, value, onText }: SearchInputProps) {
  return (
    <input
      type="search"
      placeholder={placeholder}
      aria-label={label}
      data-name={name}
      value={value}
      onInput={(event: Event) => onText((event.target as HTMLInputElement).value)}
    />
  );
}

/** Says what would be here, where there is nothing yet. */
export function EmptyState({ title, children }: { readonly title: string; readonly children?: Child }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      <div class="empty-text">{children}</div>
    </div>
  );
}

export function Chip(
  { tone = "plain", children, title }: { readonly tone?: string; readonly children: Child; readonly title?: string },
) {
  return <span class={`chip ${tone}`} title={title}>{children}</span>;
}

/** Terms with their values. */
export function Facts({ facts }: { readonly facts: readonly (readonly [term: string, value: string])[] }) {
  return (
    <dl class="facts">
      {facts.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>
            <bdi>{sanitize(value, 120)}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A small line chart without axes. */
export function Sparkline({ values, label }: { readonly values: readonly number[]; readonly label: string }) {
  const most = Math.max(1e-9, ...values);
  const last = Math.max(1, values.length - 1);
  const points = values.map((value, index) =>
    `${((index / last) * 100).toFixed(1)},${(19 - (value / most) * 17).toFixed(1)}`
  );
  const isFlat = values.every((value) => value === 0);
  return (
    <svg
      class={isFlat ? "spark flat" : "spark"}
      viewBox="0 0 100 20"
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="spark-area" d={points.length === 0 ? "" : `M0,20 L${points.join(" ")} 100,20Z`} />
      <path class="spark-line" d={points.length === 0 ? "" : `M${points.join(" ")}`} />
    </svg>
  );
}

/** Text with a button that copies it. */
export function CopyableText({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text).then(() => setCopied(true), () => {});
  };
  return (
    <span class="copyable">
      <code>{text}</code>
      <Button kind="quiet" onPress={copy}>{isCopied ? TEXTS.copied : TEXTS.copy}</Button>
    </span>
  );
}
