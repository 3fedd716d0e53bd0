/** One integration with everything that it offers. */
import { useState } from "hono/jsx/dom";
import type { Json } from "../../core/json.ts";
import type { ActionOutcome, ActionView } from "../../core/view.ts";
import { inPath } from "../../clients/api.ts";
import { sendCommand, useDetail } from "../state/relay.ts";
import { useMissingScope, useStore } from "../state/store.ts";
import { formatDuration } from "../lib/format.ts";
import { sanitize, sanitizeJson, sanitizeLines } from "../lib/sanitize.ts";
import { ActionForm } from "./action-form.tsx";
import { Button, Chip, ConfirmButton } from "./primitives.tsx";

export function IntegrationDetails({ id }: { readonly id: string }) {
  const detail = useDetail(id);
  const why = useMissingScope("admin");
  if (detail === undefined) return <p class="faint small pad">asking what it offers…</p>;
  const { address, user_agent, upstream, offers, present, listener, counts } = detail;
  const facts: readonly (readonly [string, string])[] = [
    ["id", id],
    ["listener", listener],
    ["to", upstream],
    ["from", address ?? "–"],
    ["program", user_agent === null || user_agent === "" ? "–" : user_agent],
    ["contexts", String(counts.contexts)],
    ["forces", String(counts.forces)],
  ];
  return (
    <div class="detail">
      <div class="detail-head">
        <dl class="facts">
          {facts.map(([term, text]) => (
            <div key={term}>
              <dt>{term}</dt>
              <dd>
                <bdi>{sanitize(text, 120)}</bdi>
              </dd>
            </div>
          ))}
          <div key="since">
            <dt>{present ? "here" : "away"}</dt>
            <dd>
              <Age since={detail.since} />
            </dd>
          </div>
        </dl>
        <ConfirmButton
          icon="unplug"
          name="disconnect"
          disabledReason={why ?? (present ? undefined : "It is away.")}
          sure="Disconnect it?"
          onPress={() => sendCommand("DELETE", `integrations/${inPath(id)}/connection`)}
        >
          Disconnect
        </ConfirmButton>
      </div>
      {offers.length === 0
        ? <p key="none" class="faint small">It has registered no action.</p>
        : (
          <ul key="offers" class="offers">
            {offers.map((offer) => <ActionRow key={offer.name} id={id} offer={offer} />)}
          </ul>
        )}
    </div>
  );
}

function Age({ since }: { readonly since: number }) {
  const age = useStore(({ now }) => formatDuration(now - since));
  return <span>{age}</span>;
}

function ActionRow({ id, offer }: { readonly id: string; readonly offer: ActionView }) {
  const { name, upstream_name, description, schema, shared } = offer;
  const [isOpen, setOpen] = useState(false);
  const why = useMissingScope("command");
  const send = (data: Json | undefined) =>
    sendCommand<ActionOutcome>("POST", `integrations/${inPath(id)}/actions`, { name, ...(data !== undefined && { data }) });
  return (
    <li class="offer" data-name="offer">
      <div class="offer-head">
        <code class="offer-name" dir="auto">{sanitize(name, 64)}</code>
        {upstream_name === name ? null : <Chip title="As Neuro calls it">{sanitize(upstream_name, 64)}</Chip>}
        {shared ? <Chip tone="accent" title="Others offer the very same: Neuro sees one action">shared</Chip> : null}
        <Button name="open-form" pressed={isOpen} onPress={() => setOpen(!isOpen)}>{isOpen ? "Close" : "Send…"}</Button>
      </div>
      <p class="soft offer-text" dir="auto">{sanitizeLines(description, 1_200)}</p>
      <div>
        {isOpen
          ? (
            <div key="open" class="offer-body">
              <ActionForm key={JSON.stringify(schema)} schema={schema} verb="Send" disabledReason={why} send={send} />
              <details class={schema === null ? "none" : "state"}>
                <summary>Schema</summary>
                <pre>{sanitizeJson(schema)}</pre>
              </details>
            </div>
          )
          : null}
      </div>
    </li>
  );
}
