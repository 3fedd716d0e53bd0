/** The web port's own pages: is the relay alive, is it ready, how much goes through it, and the files that were sent to it. */
import type { ServiceName } from "../core/service.ts";
import type { Scope } from "../core/settings.ts";
import type { WebPorts } from "./ports.ts";
import { refuse } from "./problem.ts";

const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}$/;

/** Alive: nothing more is said to whom it does not concern. */
export const health = ({ version }: WebPorts): Response => plainJson({ status: "ok", version });

/** Ready or not, with a status code for everyone and the reasons for who may watch. */
export async function ready(deps: WebPorts, scopes: readonly Scope[]): Promise<Response> {
  const waits = await waitsOf(deps);
  const status = waits.length === 0 ? "ready" : "not ready";
  const body = { status, version: deps.version, ...(scopes.includes("watch") && { waits }) };
  return plainJson(body, waits.length === 0 ? 200 : 503);
}

/** What is not ready, and why. */
export async function waitsOf(deps: WebPorts): Promise<string[]> {
  const waits = (await Promise.all(deps.services.map((service) => waitsIn(service, deps)))).flat();
  return deps.isDraining() ? [...waits, "the relay is stopping"] : waits;
}

async function waitsIn(service: ServiceName, deps: WebPorts): Promise<string[]> {
  const answer = await deps.request({ of: service, get: "ready" }, { by: "relay", scopes: ["watch"] });
  if ("fault" in answer) return [`${service}: ${answer.fault}`];
  const { ok, waits } = answer.body as { ok?: unknown; waits?: unknown };
  if (ok === true) return [];
  return Array.isArray(waits) && waits.length > 0 ? waits.map((wait) => `${service}: ${wait}`) : [`${service}: not ready`];
}

/** Counters for Prometheus. */
export async function metrics(deps: WebPorts, scopes: readonly Scope[]): Promise<Response> {
  if (deps.settings().web.metrics !== "open" && !scopes.includes("watch")) return unauthorized();
  return new Response(await deps.metrics(), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" },
  });
}

/** A file that an integration sent: to be kept, never to be shown as a page of ours. */
export async function upload(deps: WebPorts, scopes: readonly Scope[], file: string): Promise<Response> {
  if (!scopes.includes("watch")) return unauthorized();
  const bytes = FILE_NAME.test(file) ? await deps.readUpload(file) : undefined;
  if (bytes === undefined) return refuse({ status: 404, title: "Not found", detail: "no such file, or no longer" });
  return new Response(Uint8Array.from(bytes), {
    headers: {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="${file}"`,
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": "private, no-store",
    },
  });
}

const unauthorized = (): Response =>
  refuse({
    status: 401,
    title: "Unauthorized",
    detail: "give a token with the scope `watch` as `Authorization: Bearer <token>`",
    headers: { "www-authenticate": "Bearer" },
  });

const plainJson = (body: object, status = 200): Response =>
  Response.json(body, { status, headers: { "cache-control": "no-store" } });
