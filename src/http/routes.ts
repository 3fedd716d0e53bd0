/** The web port's own routes: health, readiness, metrics and uploads. */
import type { Millis } from "../core/ids.ts";
import type { ServiceName } from "../core/service.ts";
import type { Scope } from "../core/settings.ts";
import type { WebPorts } from "./ports.ts";
import { problemResponse } from "./problem.ts";

const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}$/;

/** `/health`: the process is alive. */
export const health = ({ version }: WebPorts): Response => plainJson({ status: "ok", version });

/** `/ready`: a status code for everyone, and the reasons for `watch`. */
export async function ready(readiness: ReadinessCache, scopes: readonly Scope[], ports: WebPorts): Promise<Response> {
  const reasons = await readiness.notReadyReasons();
  const status = reasons.length === 0 ? "ready" : "not_ready";
  const body = { status, version: ports.version, ...(scopes.includes("watch") && { reasons }) };
  return plainJson(body, reasons.length === 0 ? 200 : 503);
}

/** The services are asked at most once within this time, because anyone can request `/ready`. */
const READINESS_MS: Millis = 1_000;

export class ReadinessCache {
  readonly #ports: WebPorts;
  #askedAt: Millis = -Infinity;
  #reasons: Promise<readonly string[]> = Promise.resolve([]);

  constructor(ports: WebPorts) {
    this.#ports = ports;
  }

  async notReadyReasons(): Promise<readonly string[]> {
    const now = this.#ports.uptimeMs();
    if (now - this.#askedAt >= READINESS_MS) {
      this.#askedAt = now;
      this.#reasons = reasonsOfRelays(this.#ports);
    }
    return [...await this.#reasons, ...reasonsOfHost(this.#ports)];
  }
}

/** Why the relay is not ready; empty if it is. */
export const notReadyReasons = async (ports: WebPorts): Promise<string[]> => [
  ...await reasonsOfRelays(ports),
  ...reasonsOfHost(ports),
];

const reasonsOfRelays = async (ports: WebPorts): Promise<readonly string[]> =>
  (await Promise.all([reasonsOfServices(ports), ports.otherReasons()])).flat();

const reasonsOfServices = async (ports: WebPorts): Promise<readonly string[]> =>
  (await Promise.all(ports.services.map((service) => notReadyReasonsOf(service, ports)))).flat();

const reasonsOfHost = (ports: WebPorts): readonly string[] => [
  ...ports.lostListeners().map((listener) => `the listener ${listener} is not open`),
  ...(ports.isDraining() ? ["the relay is stopping"] : []),
];

async function notReadyReasonsOf(service: ServiceName, ports: WebPorts): Promise<string[]> {
  const result = await ports.request({ of: service, get: "ready" }, { by: "relay", scopes: ["watch"] });
  if ("fault" in result) return [`${service}: ${result.fault}`];
  const { ok, reasons } = result.body;
  if (ok) return [];
  return reasons.length > 0 ? reasons.map((reason) => `${service}: ${reason}`) : [`${service}: not ready`];
}

/** `/metrics`, for Prometheus; as OpenMetrics for clients that accept it. */
export async function metrics(ports: WebPorts, scopes: readonly Scope[], accept: string | undefined): Promise<Response> {
  if (ports.settings().web.metrics !== "open" && !scopes.includes("watch")) return unauthorized();
  const { text, type } = await ports.metrics(accept);
  return new Response(text, { headers: { "content-type": type, "cache-control": "no-store", "vary": "accept" } });
}

/** `/uploads/<file>`: a download that no browser displays as a page of this origin. */
export async function upload(ports: WebPorts, scopes: readonly Scope[], file: string): Promise<Response> {
  if (!scopes.includes("watch")) return unauthorized();
  const bytes = FILE_NAME.test(file) ? await ports.readUpload(file) : undefined;
  if (bytes === undefined) {
    return problemResponse({
      status: 404,
      title: "Not found",
      fault: "notFound",
      detail: "no such file, or it has expired",
    });
  }
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
  problemResponse({
    status: 401,
    title: "Unauthorized",
    fault: "badToken",
    detail: "give a token with the scope `watch` as `Authorization: Bearer <token>`",
    headers: { "www-authenticate": "Bearer" },
  });

const plainJson = (body: object, status = 200): Response =>
  Response.json(body, { status, headers: { "cache-control": "no-store" } });
