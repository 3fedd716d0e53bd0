/** What the author of an integration should correct or know. */
import type { Severity } from "../../core/diagnostics/catalogue.ts";
import type { DiagnosticView } from "../../core/view.ts";
import { linkTo } from "../lib/route.ts";
import { sanitize, sanitizeLines } from "../lib/sanitize.ts";
import { TEXTS } from "../texts.ts";
import { Chip, Prose } from "./primitives.tsx";

const TEXT = TEXTS.integrations.diagnostics;

const TONES: Readonly<Record<Severity, string>> = { error: "bad", warning: "warn", info: "plain" };

export function DiagnosticList({ diagnostics }: { readonly diagnostics: readonly DiagnosticView[] }) {
  return (
    <details class={diagnostics.length === 0 ? "hidden" : "state"} data-name="diagnostics">
      <summary>{TEXT.title(diagnostics.length)}</summary>
      <ul class="action-list">
        {diagnostics.map((diagnostic) => <DiagnosticRow key={diagnostic.what} diagnostic={diagnostic} />)}
      </ul>
    </details>
  );
}

function DiagnosticRow({ diagnostic }: { readonly diagnostic: DiagnosticView }) {
  const { severity, title, rule, fix, link, detail, message, trace, count } = diagnostic;
  return (
    <li class="action-row" data-name="diagnostic">
      <div class="action-row-head">
        <Chip tone={TONES[severity]}>{TEXT.severities[severity]}</Chip>
        <strong>{title}</strong>
        <span class="faint small">{TEXT.times(count)}</span>
      </div>
      <p class="soft action-text">
        <Prose text={rule} /> <a href={link} target="_blank" rel="noreferrer">{TEXT.documentation}</a>
      </p>
      <p class="soft action-text" dir="auto">
        <Prose text={sanitizeLines(detail === "" ? fix : `${fix}: ${detail}`, 1_200)} />
      </p>
      {trace === null ? null : <a key="trace" class="small" href={linkTo("traces", trace)}>{TEXTS.traces.follow}</a>}
      <code key="message" class={message === "" ? "hidden" : "small"} dir="auto">{sanitize(message, 600)}</code>
    </li>
  );
}
