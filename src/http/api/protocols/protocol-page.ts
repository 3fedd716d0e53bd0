/** The protocol reference for people: the AsyncAPI document as one page without scripts. */
import { html } from "hono/html";
import { type FaultName, FAULTS } from "../../../core/fault.ts";
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { type Html, htmlResponse, kind, paragraphs, prose, wholePage } from "../page.ts";
import { ABOUT, CHANNELS, payloadSchema } from "./asyncapi.ts";
import { GAME_CHANNEL } from "./game-channel.ts";
import type { ProtocolChannel, ProtocolMessage } from "./protocol.ts";
import { type RepairExample, repairExamples } from "./repairs.ts";

/** Why cached: like the document. */
let kept: { readonly version: string; readonly base: string; readonly text: Promise<string> } | undefined;

/** The page, for a relay of this version whose web port is below this path of its origin. */
export async function protocolPage(version: string, base: string): Promise<Response> {
  if (kept?.version !== version || kept.base !== base) {
    kept = { version, base, text: Promise.resolve(page(version, base)).then(String) };
  }
  return await htmlResponse(await kept.text);
}

function page(version: string, base: string): Html {
  const title = "Neuro Relay: protocols";
  return wholePage(
    title,
    html`
      <h1>${title}</h1>
      <p
        class="soft">Version ${version}. For programs: <a href="${base}/api/asyncapi.json">AsyncAPI document</a>. Requests over HTTP:
      <a href="${base}/api">HTTP API</a>.</p>
      ${paragraphs(ABOUT)}
      <p>${CHANNELS.map(({ name, title }) =>
        html`
          <a href="#${name}">${title}</a>
        `
      )}<a href="#errors">Errors and close codes</a></p>
      ${CHANNELS.map(section)}
      ${faults()}
    `,
  );
}

function section(channel: ProtocolChannel): Html {
  const { name, title, description, toRelay, fromRelay, closes } = channel;
  return html`
    <section id="${name}">
      <h2>${title}</h2>
      <p>${prose(description)}</p>
      <h3>To the relay</h3>
      ${toRelay.map(entry)}
      <h3>From the relay</h3>
      ${fromRelay.map(entry)}
      ${channel === GAME_CHANNEL ? html`<h3>Repairs</h3>${repairExamples().map(repairEntry)}` : ""}
      ${closes.length === 0 ? "" : html`
        <h3>Close codes</h3>
        <p>${closes.map(closeLink)}</p>
      `}
    </section>
  `;
}

const closeLink = (fault: FaultName): Html =>
  html`
    <a href="#fault-${fault}"><code>${FAULTS[fault].close} ${fault}</code></a>
  `;

function entry(message: ProtocolMessage): Html {
  const { name, summary, examples, refused = [] } = message;
  const rows = rowsOf(payloadSchema(message), "");
  return html`
    <article id="${name}">
      <h3><code>${name}</code></h3>
      <p>${prose(summary)}</p>
      ${rows.length > 0 ? html`<table>${rows}</table>` : ""}
      ${examples.map(code)}
      ${refused.map(({ given, error }) => html`<p class="soft">Refused:</p>${code(given)}${code(error)}`)}
    </article>
  `;
}

/** A row for each field, those of inner objects after their object. */
function rowsOf({ properties, required }: JsonObject, prefix: string): Html[] {
  const must = Array.isArray(required) ? required : [];
  return Object.entries(isObject(properties) ? properties : {}).flatMap(([field, of]) => {
    if (!isObject(of)) return [];
    const row = html`
      <tr>
        <td><code>${prefix}${field}</code>${must.includes(field) ? "" : " (optional)"}</td>
        <td>${"const" in of ? html`<code>${JSON.stringify(of.const)}</code>` : kind(of)}</td>
        <td>${prose(typeof of.description === "string" ? of.description : "")}</td>
      </tr>
    `;
    const inner = of.type === "array" && isObject(of.items) ? of.items : of;
    return [row, ...rowsOf(inner, `${prefix}${field}${inner === of ? "" : "[]"}.`)];
  });
}

const code = (value: Json): Html =>
  html`<pre><code>${typeof value === "string" ? value : JSON.stringify(value)}</code></pre>`;

const repairEntry = ({ what, hint, before, after }: RepairExample): Html =>
  html`
    <article id="repair-${what}">
      <h3><code>${what}</code></h3>
      <p>${prose(hint)}</p>
      ${code(before)}
      ${after === undefined ? "" : html`<p class="soft">Read as:</p>${code(after)}`}
    </article>
  `;

function faults(): Html {
  // Why the cast: `Object.keys` forgets the names of a record.
  const rows = (Object.keys(FAULTS) as FaultName[]).map((name) => {
    const { close, message, blame, retry } = FAULTS[name];
    return html`
      <tr id="fault-${name}">
        <td><code>${name}</code></td>
        <td>${close}</td>
        <td>${message}</td>
        <td>${blame === "them" ? "the client" : "the relay"}</td>
        <td>${retry ? "yes" : "no"}</td>
      </tr>
    `;
  });
  return html`
    <section id="errors">
      <h2>Errors and close codes</h2>
      <p>The <code>code</code> of an error, and the code and reason with which the relay closes a connection because of it.</p>
      <table>
        <tr><th>code</th><th>close</th><th>reason</th><th>has to be changed by</th><th>a retry may work</th></tr>
        ${rows}
      </table>
    </section>
  `;
}
