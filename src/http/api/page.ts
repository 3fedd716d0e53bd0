/** The parts that all pages of the reference share: one style, a policy without scripts, and the types of values in words. */
import { html, raw } from "hono/html";
import { isObject, type Json } from "../../core/json.ts";

export type Html = ReturnType<typeof html>;

const STYLE = `:root{color-scheme:light dark;--line:#8884;--soft:#8882;--name:light-dark(#0b57d0,#8ab4f8)}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}
section{border-top:1px solid var(--line);padding:.25rem 0 1rem}
h3{margin:1.25rem 0 .25rem}h3 code:first-child{color:var(--name)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .5rem .25rem 0;border-bottom:1px solid var(--soft)}
a{color:var(--name)}p{margin:.25rem 0}.soft{opacity:.75}
pre{margin:.25rem 0;white-space:pre-wrap;background:var(--soft);padding:.25rem .5rem}
nav{columns:16rem;border:1px solid var(--line);padding:.25rem .75rem;margin:.5rem 0}nav details{break-inside:avoid}`;

let policy: Promise<string> | undefined;

/** A page as a response. */
export async function htmlResponse(text: string): Promise<Response> {
  return new Response(text, {
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

/** A page with this title and content. */
export const wholePage = (title: string, content: Html): Html =>
  html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>${title}</title>
        <style>${raw(STYLE)}</style>
      </head>
      <body>
        <main>${content}</main>
      </body>
    </html>
  `;

/** The type of a value in a few words. */
export function kind(of: Json | undefined): Html | string {
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

/** A link to an entry of the same page. */
export const linkTo = (name: string): Html => html`<a href="#${name}"><code>${name}</code></a>`;

/** Paragraphs, separated by empty lines. */
export const paragraphs = (text: string): Html[] => text.split("\n\n").map((one) => html`<p>${prose(one)}</p>`);

/** Text in which \`words\` in back quotes are code. */
export const prose = (text: string): Html =>
  html`${text.split("`").map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
