/** The tokens: what each may do, when it was last used, and what an admin does with it: issue, rotate, revoke. */
import { useState } from "hono/jsx/dom";
import { pathSegment } from "../../clients/api-client.ts";
import { ALL_SCOPES } from "../../core/access.ts";
import type { Millis } from "../../core/ids.ts";
import { TOKEN_NAME_LENGTH_MAX } from "../../core/limits.ts";
import type { IssuedTokenView, Page, TokenRequest, TokenView } from "../../core/view.ts";
import { Button, Chip, ConfirmButton, CopyableText, EmptyState, Prose } from "../components/primitives.tsx";
import { Tool, valueOf } from "../components/tool.tsx";
import { formatAge, formatDuration } from "../lib/format.ts";
import { SortedList } from "../lists/sorted-list.tsx";
import type { SortColumn } from "../lib/sort-list.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useMissingScope, useResource, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";

const TEXT = TEXTS.tokens;

/** Shows a new token. Why only in the component: nothing of the page may keep it. */
type ShowToken = (issued: IssuedTokenView) => void;

const { columns: TITLES } = TEXTS;
const COLUMNS: readonly SortColumn<TokenView>[] = [
  { key: "name", title: TITLES.name, isText: true, valueOf: ({ name }) => name },
  { key: "use", title: TITLES.use, isText: true, valueOf: ({ use }) => use },
  { key: "used", title: TITLES.used, valueOf: ({ last_used_at: lastUsedAt }) => lastUsedAt },
  { key: "expires", title: TITLES.expires, valueOf: ({ expires_at: expiresAt }) => expiresAt },
];

export function Tokens() {
  const page = useResource<Page<TokenView>>("tokens");
  const [issued, show] = useState<IssuedTokenView | undefined>(undefined);
  return (
    <div class="scrolls">
      <h2 class="visually-hidden">{TEXTS.tabs.panels.tokens}</h2>
      <p class="soft small pad tokens-about">
        <Prose text={TEXT.about} />
      </p>
      <div role="status">
        {issued === undefined
          ? null
          : (
            <section key={issued.id} class="new-token" data-name="new-token" aria-label={TEXT.newToken}>
              <p>
                {TEXT.shownOnce(sanitize(issued.id, 100))}
              </p>
              <CopyableText text={issued.token} />
              <Button name="hide-token" onPress={() => show(undefined)}>{TEXT.hide}</Button>
            </section>
          )}
      </div>
      <div>
        {page === undefined
          ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
          : page === null
          ? <EmptyState key="none" title={TEXT.notAllowed}>{TEXTS.missingScope(["admin"])}</EmptyState>
          : (
            <div key="some">
              <SortedList
                param="by_token"
                columns={COLUMNS}
                items={page.items}
                keyOf={({ id }) => id}
                row={(token) => <TokenRow token={token} show={show} />}
              />
              <IssueForm show={show} />
            </div>
          )}
      </div>
    </div>
  );
}

const HOUR: Millis = 3_600_000;
/** How long a rotated token stays valid: what an operator chooses from. */
const OVERLAPS: readonly Millis[] = [HOUR, 0, HOUR / 6, 24 * HOUR, 7 * 24 * HOUR];

function TokenRow({ token, show }: { readonly token: TokenView; readonly show: ShowToken }) {
  const { id, name, use, scopes, names, state, hashed, issued_at, expires_at, last_used_at, last_address } = token;
  const [isRotating, setRotating] = useState(false);
  const missingScope = useMissingScope("admin");
  const now = useStore((current) => current.now);
  const facts = [
    last_used_at === null ? TEXT.neverUsed : TEXT.used(formatAge(now - last_used_at), sanitize(last_address ?? "", 60)),
    ...(expires_at === null || state !== "valid" ? [] : [TEXT.expires(formatDuration(expires_at - now))]),
    ...(names.length === 0 ? [] : [TEXT.names(sanitize(names.join(", "), 120))]),
    issued_at !== null ? TEXT.issued(formatAge(now - issued_at)) : hashed ? TEXT.hashed : TEXT.plain,
  ];
  const notValid = state === "valid" ? undefined : TEXT.states[state];
  const isOwner = use === "web" ? TEXT.webToken : undefined;
  return (
    <div class="entry" data-name="token">
      <div class="entry-head">
        <bdi class="name">{sanitize(name, 60)}</bdi>
        <Chip>{TEXT.uses[use]}</Chip>
        {state === "valid" ? null : <Chip key="state" tone="bad">{TEXT.states[state]}</Chip>}
        <span class="entry-buttons">
          <Button
            name="rotate"
            pressed={isRotating}
            disabledReason={missingScope ?? isOwner ?? notValid}
            onPress={() => setRotating(!isRotating)}
          >
            {TEXT.rotate}
          </Button>
          <ConfirmButton
            name="revoke"
            tabindex={-1}
            disabledReason={missingScope ?? isOwner ?? (state === "revoked" ? TEXT.states.revoked : undefined)}
            confirmText={TEXT.confirmRevoke}
            onPress={() => store.send("DELETE", `tokens/${pathSegment(id)}`)}
          >
            {TEXT.revoke}
          </ConfirmButton>
        </span>
      </div>
      <p class="faint small">{[scopes.join(", "), ...facts].filter((part) => part !== "").join(" · ")}</p>
      <div>
        {isRotating ? <RotateForm key="rotate" id={id} show={show} close={() => setRotating(false)} /> : null}
      </div>
    </div>
  );
}

interface RotateFormProps {
  readonly id: string;
  readonly show: ShowToken;
  close(): void;
}

function RotateForm({ id, show, close }: RotateFormProps) {
  const [overlap, setOverlap] = useState(HOUR);
  const rotate = async (): Promise<void> => {
    const outcome = await store.send<IssuedTokenView>("POST", `tokens/${pathSegment(id)}/rotation`, {
      overlap_ms: overlap,
    });
    if (!outcome.ok) return;
    close();
    show(outcome.body);
  };
  return (
    <div class="rotate">
      <label class="field">
        <span class="field-label">{TEXT.overlap}</span>
        <select
          data-name="overlap"
          value={String(overlap)}
          onChange={(event: Event) => setOverlap(Number((event.target as HTMLSelectElement).value))}
        >
          {OVERLAPS.map((ms) => (
            <option key={ms} value={String(ms)}>{ms === 0 ? TEXT.noOverlap : TEXT.overlapOf(formatDuration(ms))}</option>
          ))}
        </select>
      </label>
      <Button kind="main" name="confirm-rotate" onPress={rotate}>{TEXT.confirmRotate}</Button>
    </div>
  );
}

const DAY: Millis = 24 * HOUR;
/** When an issued token expires. 0: never. */
const LIFETIMES: readonly Millis[] = [0, DAY, 30 * DAY, 365 * DAY];

function IssueForm({ show }: { readonly show: ShowToken }) {
  const [use, setUse] = useState<TokenRequest["use"]>("intermediary");
  const missingScope = useMissingScope("admin");
  const own = useStore(({ overview }) => overview?.scopes) ?? [];
  const issue = async (values: FormData): Promise<string | undefined> => {
    const names = valueOf(values, "names").split(",").map((name) => name.trim()).filter((name) => name !== "");
    const lifetime = Number(valueOf(values, "lifetime"));
    const outcome = await store.send<IssuedTokenView>("POST", "tokens", {
      use,
      name: valueOf(values, "name").trim(),
      ...(use === "intermediary" && { scopes: values.getAll("scope").map(String) }),
      ...(names.length > 0 && { names }),
      ...(lifetime > 0 && { expires_at: Math.round(store.relayNow() + lifetime) }),
    });
    if (!outcome.ok) return outcome.error;
    show(outcome.body);
    return undefined;
  };
  return (
    <Tool name="issue-token" texts={TEXT.issue} disabledReason={missingScope} send={issue}>
      <label class="field">
        <span class="field-label">{TEXT.issue.use}</span>
        <select
          name="use"
          value={use}
          onChange={(event: Event) => setUse((event.target as HTMLSelectElement).value as TokenRequest["use"])}
        >
          {(["intermediary", "neuro", "brain"] as const).map((each) => (
            <option key={each} value={each}>{TEXT.uses[each]}</option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="field-label">{TEXT.issue.name}</span>
        <input
          type="text"
          name="name"
          autocomplete="off"
          maxlength={TOKEN_NAME_LENGTH_MAX}
          placeholder={TEXT.issue.example}
        />
      </label>
      <fieldset class={use === "intermediary" ? "scopes" : "hidden"}>
        <legend class="field-label">{TEXT.issue.scopes}</legend>
        {ALL_SCOPES.filter((scope) => own.includes(scope)).map((scope) => (
          <label key={scope} class="switch">
            <input type="checkbox" name="scope" value={scope} />
            <span>{scope}</span>
          </label>
        ))}
      </fieldset>
      <label class="field">
        <span class="field-label">{TEXT.issue.names}</span>
        <input type="text" name="names" autocomplete="off" placeholder={TEXT.issue.namesExample} />
      </label>
      <label class="field">
        <span class="field-label">{TEXT.issue.lifetime}</span>
        <select name="lifetime">
          {LIFETIMES.map((ms) => (
            <option key={ms} value={String(ms)}>{ms === 0 ? TEXT.issue.never : formatDuration(ms)}</option>
          ))}
        </select>
      </label>
    </Tool>
  );
}
