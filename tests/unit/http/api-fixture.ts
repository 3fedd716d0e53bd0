/** A real relay with clients and a Neuro, and its API as a program would use it: according to the OpenAPI document. */
import { type Schema, Validator } from "@cfworker/json-schema";
import { isObject, type Json, type JsonObject } from "../../../src/core/json.ts";
import { load } from "../../../src/config/load.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { OPERATIONS } from "../../../src/http/api/operations.ts";
import type { ApiOperation } from "../../../src/http/api/operation.ts";
import { type RelayHandle, serve } from "../../../src/runtimes/bun/serve.ts";
import { Neuro } from "../../conformance/clients.ts";
import { check } from "../../harness/check.ts";

export const TOKENS = {
  web: "token-of-the-web-port",
  watch: "may-watch",
  work: "may-integrate",
  all: "intermediary-token",
};

/** What is put into a request. */
export interface OperationRequest {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  readonly token?: string | undefined;
}

export interface ParsedResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

/** Settings as a user writes them. */
export function settingsOf(sets: readonly string[]): Settings {
  const loaded = load({
    environment: {},
    sets: [
      ...["intermediary", "nakurity-backend", "brain", "web"].map((listener) => `${listener}.port=0`),
      "queue.backend=memory",
      "shutdown.grace=500ms",
      `web.token=${TOKENS.web}`,
      `intermediary.auth_token=${TOKENS.all}`,
      `intermediary.tokens=[{name: eye, token: ${TOKENS.watch}, scopes: [watch]}, {name: worker, token: ${TOKENS.work}, scopes: [integration]}]`,
      ...sets,
    ],
  });
  if (!loaded.ok) throw new Error(loaded.errors.join("\n"));
  return loaded.settings;
}

export class ApiFixture {
  readonly neuro: Neuro;
  readonly urls: { readonly intermediary: string; readonly neuro: string; readonly brain: string };
  readonly web: string;
  /** The operations whose replies matched the OpenAPI document. */
  readonly answered = new Set<string>();
  readonly log: string[];
  readonly #served: RelayHandle;
  readonly #document: JsonObject;

  private constructor(served: RelayHandle, document: JsonObject, { neuro, log }: { neuro: Neuro; log: string[] }) {
    const { intermediary = "", neuro: games = "", brain = "", web = "" } = served.urls;
    this.#served = served;
    this.#document = document;
    this.neuro = neuro;
    this.log = log;
    this.urls = { intermediary, neuro: games, brain };
    this.web = web;
  }

  static async with(run: (fixture: ApiFixture) => Promise<void>, sets: readonly string[] = []): Promise<void> {
    const neuro = new Neuro();
    const log: string[] = [];
    const settings = settingsOf([`nakurity-client.url=${neuro.url}`, ...sets]);
    const served = await serve(settings, { print: () => {}, log: (line) => log.push(line) });
    try {
      const { body: document } = await replyOf(await fetch(`${served.urls.web}/api/openapi.json`));
      check.that(isObject(document));
      await run(new ApiFixture(served, document, { neuro, log }));
    } finally {
      await served.drain();
      neuro.stop();
    }
  }

  /** One request to an operation; nothing is expected of its answer. */
  async request(id: string, input: OperationRequest = {}): Promise<ParsedResponse> {
    const { method, body } = operationOf(id);
    const { token = TOKENS.web } = input;
    const hasBody = body !== undefined && "body" in input;
    const response = await fetch(this.web + pathOf(id, input), {
      method,
      headers: {
        ...("token" in input && input.token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(hasBody && { "content-type": "application/json" }),
      },
      ...(hasBody && { body: typeof input.body === "string" ? input.body : JSON.stringify(input.body) }),
    });
    return await replyOf(response);
  }

  /** One that is expected to work: its answer has the shape that the document promises, and nothing else. */
  async call(id: string, input: OperationRequest = {}): Promise<JsonObject> {
    const { status, headers, body } = await this.request(id, input);
    check.equal(status, 200, `${id}: ${JSON.stringify(body)}`);
    check.equal(headers.get("cache-control"), "no-store");
    const { valid, errors } = new Validator(this.#schemaOf(id), "2020-12").validate(body);
    check.that(valid, `${id} answers as the document says: ${JSON.stringify(errors)} of ${JSON.stringify(body)}`);
    check.equal(operationOf(id).reply.parse(body), body, `${id} answers nothing that the document does not know`);
    check.that(isObject(body));
    this.answered.add(id);
    return body;
  }

  async items(id: string, input: OperationRequest = {}): Promise<readonly JsonObject[]> {
    const { items } = await this.call(id, input);
    check.that(Array.isArray(items));
    return items.filter(isObject);
  }

  /** Asks until something is so. */
  async until<T>(id: string, found: (body: JsonObject) => T | undefined): Promise<T> {
    for (const end = performance.now() + 8_000;;) {
      const value = found(await this.call(id));
      if (value !== undefined) return value;
      if (performance.now() > end) throw new Error(`waited for ${found} in ${id}`);
      await Bun.sleep(5);
    }
  }

  #schemaOf(id: string): Schema {
    const { path, method } = operationOf(id);
    const at = ["paths", path, method.toLowerCase(), "responses", "200", "content", "application/json", "schema", "$ref"];
    let found: Json | undefined = this.#document;
    for (const part of at) found = isObject(found) ? found[part] : undefined;
    check.that(typeof found === "string", `the document has ${id}`);
    return { $ref: found, components: this.#document.components };
  }

  configure(settings: Settings): void {
    this.#served.configure(settings);
  }
}

export async function replyOf(response: Response): Promise<ParsedResponse> {
  const { status, headers } = response;
  const text = await response.text();
  return { status, headers, body: text === "" ? null : JSON.parse(text) };
}

function operationOf(id: string): ApiOperation {
  const operation = OPERATIONS.find((candidate) => candidate.id === id);
  if (operation === undefined) throw new Error(`no operation ${id}`);
  return operation;
}

export function pathOf(id: string, { path = {}, query = {} }: OperationRequest): string {
  const filled = operationOf(id).path.replace(
    /\{(\w+)\}/g,
    (_, name: string) => encodeURIComponent(path[name] ?? "no-such"),
  );
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) asked.set(name, String(value));
  return asked.size === 0 ? filled : `${filled}?${asked}`;
}
