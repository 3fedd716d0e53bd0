/** The small pieces that everything else is made of. */
import { type Child, useLayoutEffect, useRef, useState } from "hono/jsx/dom";
import { showToast } from "../state/relay.ts";
import { sanitize } from "../lib/sanitize.ts";
import { Icon, type IconName } from "./icons.tsx";

/** A name that a stranger chose: one line, its own direction, all of it on demand. */
export function Name(
  { text, max = 80, is = "name" }: { readonly text: string; readonly max?: number; readonly is?: string },
) {
  return <bdi class={is} title={sanitize(text, 300)}>{sanitize(text, max)}</bdi>;
}

export interface ButtonProps {
  readonly children?: Child;
  readonly icon?: IconName;
  readonly label?: string;
  readonly kind?: "plain" | "main" | "danger" | "quiet";
  /** Says why it cannot be used. */
  readonly disabledReason?: string | undefined;
  readonly pressed?: boolean;
  readonly name?: string;
  onPress(): unknown;
}

/**
 * A button that waits for what it began. One that cannot be used says why; it keeps its place in the order of the keyboard, so that
 * the reason can be found.
 */
export function Button({ children, icon, label, kind = "plain", disabledReason, pressed, name, onPress }: ButtonProps) {
  const [isBusy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    if (isBusy) return;
    // Why aloud: where fingers point, no title is ever seen.
    if (disabledReason !== undefined) return showToast("bad", disabledReason);
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

const ARMED_MS = 4_000;

/** A button for what cannot be taken back: it asks once more, in its own place. */
export function ConfirmButton({ children, sure: confirmText, ...rest }: ButtonProps & { readonly sure: string }) {
  const [isArmed, arm] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useLayoutEffect(() => () => clearTimeout(timer.current), []);
  const press = (): unknown => {
    clearTimeout(timer.current);
    if (!isArmed) {
      arm(true);
      timer.current = setTimeout(() => arm(false), ARMED_MS);
      return;
    }
    arm(false);
    return rest.onPress();
  };
  return (
    <Button {...rest} kind={isArmed ? "danger" : rest.kind ?? "plain"} onPress={press}>
      {isArmed ? confirmText : children}
    </Button>
  );
}

/** What to do where there is nothing yet. */
export function EmptyState({ title, children }: { readonly title: string; readonly children?: Child }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      <div class="empty-text">{children}</div>
    </div>
  );
}

/** A small chip of state. */
export function Chip(
  { tone = "plain", children, title }: { readonly tone?: string; readonly children: Child; readonly title?: string },
) {
  return <span class={`chip ${tone}`} title={title}>{children}</span>;
}

/** A line that rises and falls with the values. */
export function Sparkline({ values, label }: { readonly values: readonly number[]; readonly label: string }) {
  const most = Math.max(1e-9, ...values);
  const last = Math.max(1, values.length - 1);
  const points = values.map((value, at) => `${((at / last) * 100).toFixed(1)},${(19 - (value / most) * 17).toFixed(1)}`);
  const isFlat = values.every((value) => value === 0);
  return (
    <svg
      class={isFlat ? "spark flat" : "spark"}
      viewBox="0 0 100 20"
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="spark-area" d={`M0,20 L${points.join(" ")} 100,20Z`} />
      <path class="spark-line" d={`M${points.join(" ")}`} />
    </svg>
  );
}

/** Text to be copied by one press. */
export function CopyableText({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text).then(() => setCopied(true), () => {});
  };
  return (
    <span class="copyable">
      <code>{text}</code>
      <Button kind="quiet" onPress={copy}>{isCopied ? "Copied" : "Copy"}</Button>
    </span>
  );
}
