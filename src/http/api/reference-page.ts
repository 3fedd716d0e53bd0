/** The reference for people: the OpenAPI document as one page without scripts. */
import { html } from "hono/html";
import { isObject, type Json } from "../../core/json.ts";
import { descriptionOf, documentOf, namedSchemas, nameOf } from "./openapi.ts";
import type { ApiOperation, ParameterSchemas } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
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
      ${paragraphs(isObject(info) ? String(info.description) : "")}
      ${sections.map(({ name, description }) => section(String(name), String(description)))}
      <section id="schemas"><h2>Schemas</h2>${Object.entries(namedSchemas()).map(([name, schema]) =>
        schemaEntry(name, schema)
      )}</section>
    `,
  );
}

function section(tag: string, description: string): Html {
  const operations = OPERATIONS.filter((operation) => operation.tag === tag);
  return html`<section id="${tag}"><h2>${tag}</h2><p>${description}</p>${operations.map(entry)}</section>`;
}

function entry({ id, method, path, summary, description, scopes, parameters, body, reply }: ApiOperation): Html {
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
