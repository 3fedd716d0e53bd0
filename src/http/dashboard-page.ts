/**
 * The dashboard's page: one self-contained file, the same for everybody. Access to the relay needs a token.
 *
 * Its Content-Security-Policy allows only the script in the page, by its hash, and connections only to the relay, and forbids turning
 * text into markup. Loaded with the first request for it.
 */
import page from "../dashboard/dashboard.html" with { type: "text" };

interface PreparedPage {
  readonly etag: string;
  readonly policy: string;
  readonly gzipped: ArrayBuffer | undefined;
}

let prepared: Promise<PreparedPage> | undefined;

/** The page, or 304 if the browser has it already. */
export async function dashboardResponse({ headers }: Request): Promise<Response> {
  const { etag, policy, gzipped } = await (prepared ??= prepare());
  const shared = {
    etag,
    vary: "accept-encoding",
    "cache-control": "no-cache",
    "content-security-policy": policy,
    "cross-origin-opener-policy": "same-origin",
  };
  if (headers.get("if-none-match")?.includes(etag) === true) return new Response(null, { status: 304, headers: shared });
  const isGzipped = gzipped !== undefined &&
    /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(headers.get("accept-encoding") ?? "");
  return new Response(isGzipped ? gzipped : page, {
    headers: {
      ...shared,
      "content-type": "text/html; charset=utf-8",
      ...(isGzipped && { "content-encoding": "gzip" }),
    },
    // Why: one runtime would otherwise compress it again.
    ...(isGzipped && { encodeBody: "manual" }),
  });
}

async function prepare(): Promise<PreparedPage> {
  const [script, style, whole] = await Promise.all([
    hash(/<script type="module">([^]*?)<\/script>/.exec(page)?.[1] ?? ""),
    hash(/<style>([^]*?)<\/style>/.exec(page)?.[1] ?? ""),
    hash(page),
  ]);
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${script}'`,
    `style-src 'sha256-${style}'`,
    "connect-src 'self'",
    // The icon is a data URL.
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  return { etag: `"${whole.slice(0, 22)}"`, policy, gzipped: await gzip(page) };
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

async function gzip(text: string): Promise<ArrayBuffer | undefined> {
  if (typeof CompressionStream === "undefined") return undefined;
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(stream).arrayBuffer();
}
