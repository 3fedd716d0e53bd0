/**
 * The dashboard's page: one file with everything in it, the same for everybody; who may see the relay by it shows with its token.
 *
 * The browser is told to run nothing but the script in it, by its hash, to speak to nobody but the relay, and to make no markup of
 * text. Loaded with the first request for it.
 */
import page from "../dashboard/dashboard.html" with { type: "text" };

interface Made {
  readonly etag: string;
  readonly policy: string;
  readonly gzipped: ArrayBuffer | undefined;
}

let made: Promise<Made> | undefined;

/** The page, or the news that the browser has it already. */
export async function dashboard({ headers }: Request): Promise<Response> {
  const { etag, policy, gzipped } = await (made ??= make());
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
    // Why said: one runtime would encode what is encoded once more.
    ...(isGzipped && { encodeBody: "manual" }),
  });
}

async function make(): Promise<Made> {
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
    // Its icon is in it, too.
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
