/** The reference for people: the OpenAPI document as one page without scripts. */
import { html } from "hono/html";
import { isObject, type Json } from "../../core/json.ts";
import { curlExample } from "./examples.ts";
import { descriptionOf, documentOf, namedSchemas, nameOf } from "./openapi.ts";
import type { ApiOperation, ParameterSchemas } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { CHANNELS } from "./protocols/asyncapi.ts";
import { type Html, htmlResponse, kind, linkTo, paragraphs, prose, wholePage } from "./page.ts";

/** Why cached: like the document. */
let kept: { readonly version: string; readonly base: string; readonly text: Promise<string> } | undefined;

/** The page, for a relay of this version below this path of its origin. */
export async function referencePage(version: string, base: string): Promise<Response> {
  if (kept?.version !== version || kept.base !== base) {
    kept = { version, base, text: Promise.resolve(page(version, base)).then(String) };
  }
  return await htmlResponse(await kept.text);
}

function page(version: string, base: string): Html {
  const { tags, info } = documentOf(version, base);
  const sections = Array.isArray(tags) ? tags.filter(isObject) : [];
  const title = "Neuro Relay: HTTP API";
  return wholePage(
    title,
    html`
      <h1>${title}</h1>
      <p
        class="soft">Version ${version}. For programs: <a href="${base}/api/openapi.json">OpenAPI document</a>. Messages on WebSockets:
      <a href="${base}/api/protocols">protocols</a>.</p>
      ${menu(sections.map(({ name }) => String(name)))}
      ${paragraphs(isObject(info) ? String(info.description) : "")}
      ${sockets(base)}
      ${sections.map(({ name, description }) => section(String(name), String(description)))}
      <section id="schemas"><h2>Schemas</h2>${Object.entries(namedSchemas()).map(([name, schema]) =>
        schemaEntry(name, schema)
      )}</section>
    `,
  );
}

/** Links to every section, and within them to every operation. */
const menu = (tags: readonly string[]): Html =>
  html`
    <nav>
      <p><a href="#sockets">WebSockets</a></p>
      ${tags.map((tag) =>
        html`
          <details>
            <summary><a href="#${tag}">${tag}</a></summary>
            ${operationsOf(tag).map(({ id, method, path }) =>
              html`<p><a href="#${id}"><code>${method} ${path}</code></a></p>`
            )}
          </details>
        `
      )}
      <p><a href="#schemas">Schemas</a></p>
    </nav>
  `;

/** What connects over WebSockets, with the place of each. The other page has their messages. */
const sockets = (base: string): Html =>
  html`
    <section id="sockets">
      <h2>WebSockets</h2>
      <p>Their messages, with examples, are described on <a href="${base}/api/protocols">another page</a>.</p>
      <table>${CHANNELS.map(({ name, title, description }) =>
        html`
          <tr>
            <th><a href="${base}/api/protocols#${name}">${title}</a></th>
            <td>${prose(description)}</td>
          </tr>
        `
      )}</table>
    </section>
  `;

const operationsOf = (tag: string): readonly ApiOperation[] => OPERATIONS.filter((operation) => operation.tag === tag);

function section(tag: string, description: string): Html {
  return html`<section id="${tag}"><h2>${tag}</h2><p>${description}</p>${operationsOf(tag).map(entry)}</section>`;
}

function entry(operation: ApiOperation): Html {
  const { id, method, path, summary, description, scopes, parameters, body, reply } = operation;
  const rows = [
    ...rowsOf(parameters.path, "path"),
    ...rowsOf(parameters.query, "query"),
    ...(body === undefined ? [] : [html`
      <tr>
        <th>body</th>
        <td>${linkTo(nameOf(body))}</td>
        <td>${descriptionOf(body)}</td>
      </tr>
    `]),
    html`
      <tr>
        <th>response</th>
        <td>${linkTo(nameOf(reply))}</td>
        <td>${descriptionOf(reply)}</td>
      </tr>
    `,
  ];
  return html`
    <article id="${id}">
      <h3><code>${method}</code> <code>${path}</code></h3>
      <p>${prose(summary)} ${description === undefined ? "" : prose(description)} <span class="soft">Scope: ${scopes.join(
        " or ",
      )}.</span></p>
      <table>${rows}</table>
      <pre><code>${curlExample(operation)}</code></pre>
    </article>
  `;
}

const rowsOf = (fields: ParameterSchemas, where: string): Html[] =>
  Object.entries(fields).map(([name, schema]) =>
    html`
      <tr>
        <th>${where}</th>
        <td><code>${name}</code></td>
        <td>${prose(descriptionOf(schema))}</td>
      </tr>
    `
  );

function schemaEntry(name: string, schema: Json | undefined): Html {
  const { description, properties, required } = isObject(schema) ? schema : {};
  const must = Array.isArray(required) ? required : [];
  const rows = Object.entries(isObject(properties) ? properties : {}).map(([field, of]) =>
    html`
      <tr>
        <td><code>${field}</code>${must.includes(field) ? "" : " (optional)"}</td>
        <td>${kind(of)}</td>
        <td>${prose(isObject(of) && typeof of.description === "string" ? of.description : "")}</td>
      </tr>
    `
  );
  return html`
    <article id="${name}">
      <h3><code>${name}</code></h3>
      <p>${prose(String(description ?? ""))}</p>
      <table>${rows}</table>
    </article>
  `;
}
