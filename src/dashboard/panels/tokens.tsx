/** The configured tokens: what each may do, when it was last used, and a button that revokes it. */
import { pathSegment } from "../../clients/api-client.ts";
import type { Page, TokenView } from "../../core/view.ts";
import { Chip, ConfirmButton, EmptyState, Prose } from "../components/primitives.tsx";
import { formatAge, formatDuration } from "../lib/format.ts";
import { sanitize } from "../lib/sanitize.ts";
import { store, useMissingScope, useResource, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";

const TEXT = TEXTS.tokens;

export function Tokens() {
  const page = useResource<Page<TokenView>>("tokens");
  return (
    <div class="scrolls">
      <h2 class="visually-hidden">{TEXTS.tabs.panels.tokens}</h2>
      <p class="soft small pad tokens-about">
        <Prose text={TEXT.about} />
      </p>
      <div>
        {page === undefined
          ? <p key="loading" class="faint pad">{TEXTS.loading}</p>
          : page === null
          ? <EmptyState key="none" title={TEXT.notAllowed}>{TEXTS.missingScope(["admin"])}</EmptyState>
          : <ul key="some" class="plain-list">{page.items.map((token) => <TokenRow key={token.id} token={token} />)}</ul>}
      </div>
    </div>
  );
}

function TokenRow({ token }: { readonly token: TokenView }) {
  const { id, name, use, scopes, names, state, hashed, expires_at, last_used_at, last_address } = token;
  const missingScope = useMissingScope("admin");
  const now = useStore((current) => current.now);
  const facts = [
    last_used_at === null ? TEXT.neverUsed : TEXT.used(formatAge(now - last_used_at), sanitize(last_address ?? "", 60)),
    ...(expires_at === null || state !== "valid" ? [] : [TEXT.expires(formatDuration(expires_at - now))]),
    ...(names.length === 0 ? [] : [TEXT.names(sanitize(names.join(", "), 120))]),
    hashed ? TEXT.hashed : TEXT.plain,
  ];
  return (
    <li class="entry" data-name="token">
      <div class="entry-head">
        <bdi class="name">{sanitize(name, 60)}</bdi>
        <Chip>{TEXT.uses[use]}</Chip>
        {state === "valid" ? null : <Chip key="state" tone="bad">{TEXT.states[state]}</Chip>}
        <span class="entry-buttons">
          <ConfirmButton
            name="revoke"
            disabledReason={missingScope ?? (state === "revoked" ? TEXT.states.revoked : undefined)}
            confirmText={TEXT.confirmRevoke}
            onPress={() => store.send("DELETE", `tokens/${pathSegment(id)}`)}
          >
            {TEXT.revoke}
          </ConfirmButton>
        </span>
      </div>
      <p class="faint small">{[scopes.join(", "), ...facts].filter((part) => part !== "").join(" · ")}</p>
    </li>
  );
}
