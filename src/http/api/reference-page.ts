/** The reference for people: the OpenAPI document as one page without scripts. */
import { html, raw } from "hono/html";
import { isObject, type Json } from "../../core/json.ts";
import { descriptionOf, documentOf, namedSchemas, nameOf } from "./openapi.ts";
import type { ApiOperation, ParameterSchemas } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";

type Html = ReturnType<typeof html>;

const STYLE = `:root{color-scheme:light dark;--line:#8884;--soft:#8882;--name:light-dark(#0b57d0,#8ab4f8)}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}
section{border-top:1px solid var(--line);padding:.25rem 0 1rem}
h3{margin:1.25rem 0 .25rem}h3 code:first-child{color:var(--name)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .5rem .25rem 0;border-bottom:1px solid var(--soft)}
a{color:var(--name)}p{margin:.25rem 0}.soft{opacity:.75}`;

let policy: Promise<string> | undefined;
/** Why cached: like the document. */
let kept: { readonly version: string; readonly base: string; readonly text: Promise<string> } | undefined;

/** The page, for a relay of this version below this path of its origin. */
export async function referencePage(version: string, base: string): Promise<Response> {
  if (kept?.version !== version || kept.base !== base) {
    kept = { version, base, text: Promise.resolve(page(version, base)).then(String) };
  }
  return new Response(await kept.text, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": await (policy ??= policyFor(STYLE)),
      "cache-control": "no-store",
    },
  });
}

/** Forbids loading, scripts, frames and forms; only the page's own style is applied, by its digest. */
async function policyFor(style: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style)));
  const hash = btoa(String.fromCharCode(...digest));
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

function page(version: string, base: string): Html {
  const { tags, info } = documentOf(version, base);
  const sections = Array.isArray(tags) ? tags.filter(isObject) : [];
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Neuro Relay: HTTP API</title>
        <style>${raw(STYLE)}</style>
      </head>
      <body>
        <main>
    <h1>Neuro Relay: HTTP API</h1>
    <p class="soft">Version ${version}. For programs: <a href="${base}/api/openapi.json">OpenAPI document</a>.</p>
    ${paragraphs(isObject(info) ? String(info.description) : "")}
    ${sections.map(({ name, description }) => section(String(name), String(description)))}
    <section id="schemas"><h2>Schemas</h2>${Object.entries(namedSchemas()).map(([name, schema]) =>
      schemaEntry(name, schema)
    )}</section>
        </main>
      </body>
    </html>
  `;
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

/** The type of a value in a few words. */
function kind(of: Json | undefined): Html | string {
  if (!isObject(of)) return "any";
  const { $ref, type, items, anyOf, allOf } = of;
  if (typeof $ref === "string") return linkTo($ref.split("/").at(-1) ?? "");
  if (Array.isArray(of.enum)) {
    return html`${of.enum.map((value, at) => html`${at > 0 ? " or " : ""}<code>${String(value)}</code>`)}`;
  }
  const parts: Json | undefined = anyOf ?? allOf;
  if (Array.isArray(parts)) {
    return html`${parts.map((part: Json, at: number) => html`${at > 0 ? " or " : ""}${kind(part)}`)}`;
  }
  if (type === "array") return html`list of ${kind(items)}`;
  return Array.isArray(type) ? type.join(" or ") : String(type ?? "any");
}

const linkTo = (name: string): Html => html`<a href="#${name}"><code>${name}</code></a>`;

const paragraphs = (text: string): Html[] => text.split("\n\n").map((one) => html`<p>${prose(one)}</p>`);

/** Text in which \`words\` in back quotes are code. */
const prose = (text: string): Html =>
  html`${text.split("`").map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
