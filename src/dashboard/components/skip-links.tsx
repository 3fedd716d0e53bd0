/** Links over the top of the page, which appear when they have the focus: to the parts that a keyboard would reach late. */
import { TEXTS } from "../texts.ts";

const PARTS = ["now", "integrations", "panel"] as const;

export function SkipLinks() {
  return (
    <div class="skip-links">
      {PARTS.map((part) => (
        <a
          key={part}
          class="skip-link"
          href={`#${part}`}
          onClick={(event: Event) => {
            // Why: the fragment of the address is the view.
            event.preventDefault();
            document.getElementById(part)?.focus();
          }}
        >
          {TEXTS.skip[part]}
        </a>
      ))}
    </div>
  );
}
