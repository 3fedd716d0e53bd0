/**
 * Actions whose handlers are typed by their schema, which is a JSON Schema, or a schema of zod or another library that follows Standard
 * Schema.
 *
 * Invariant: a handler gets only data that its schema accepts. For other data the result is a failure that says what is wrong.
 */
import { type Json, type JsonObject } from "../core/json.ts";
import { errorText, shorten } from "../core/text.ts";
import { type CompiledSchema, compileSchema, validationError } from "../services/neuro/codec/validate-data.ts";
import { messageText } from "./suspect-frames.ts";
import { RelayError } from "./relay-error.ts";

/** A JSON Schema of type `object`. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** The result of a validation by a `StandardSchema`. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** The part of a schema of zod, Valibot, ArkType and others that is used here (standardschema.dev). */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
    readonly jsonSchema?: { input(options: { readonly target: "draft-2020-12" }): JsonSchema } | undefined;
  };
}

/** A schema of an action. Undefined: the action takes no data. */
export type ActionSchema = JsonSchema | StandardSchema | undefined;

/** The type of the data that a schema accepts. */
export type DataOf<S> = S extends StandardSchema ? NonNullable<S["~standard"]["types"]>["output"]
  : S extends JsonSchema ? ValueOf<S>
  : undefined;

/** The type of the values of a JSON Schema. Keywords that TypeScript cannot express are checked when data arrives. */
export type ValueOf<S> = S extends { readonly const: infer C } ? C
  : S extends { readonly enum: readonly (infer E)[] } ? E
  : S extends { readonly type: "string" } ? string
  : S extends { readonly type: "number" | "integer" } ? number
  : S extends { readonly type: "boolean" } ? boolean
  : S extends { readonly type: "null" } ? null
  : S extends { readonly type: "array"; readonly items: infer I } ? readonly ValueOf<I>[]
  : S extends { readonly type: "array" } ? readonly unknown[]
  : S extends { readonly properties: infer P }
    ? Properties<P, S extends { readonly required: readonly (infer R)[] } ? R : never>
  : S extends { readonly type: "object" } ? { readonly [name: string]: unknown }
  : unknown;

type Properties<P, R> =
  & { readonly [K in keyof P as K extends R ? K : never]: ValueOf<P[K]> }
  & { readonly [K in keyof P as K extends R ? never : K]?: ValueOf<P[K]> };

/** What Neuro learns of an action. */
export interface HandlerResult {
  /** False: Neuro may try again. */
  readonly success: boolean;
  /** A text for Neuro. */
  readonly message?: string;
}

/** An action as it arrived. */
export interface ReceivedAction {
  readonly id: string;
  readonly name: string;
}

/** What a handler returns: a result, a text that goes with success, or nothing, which is success. An exception is a failure with its text. */
export type HandlerOutcome = HandlerResult | string | void;

/** An action and its handler. */
export interface TypedAction<S extends ActionSchema> {
  /** For Neuro: what the action does. */
  readonly description: string;
  /** Of the data. Absent: the action takes none. */
  readonly schema?: S;
  /** The JSON Schema to register, for a `StandardSchema` that cannot make it itself. */
  readonly jsonSchema?: JsonSchema;
  handler(data: DataOf<S>, action: ReceivedAction): HandlerOutcome | Promise<HandlerOutcome>;
}

/** An action as it is registered. */
export interface ActionDeclaration {
  readonly name: string;
  readonly description: string;
  readonly schema?: JsonSchema;
}

interface Registered {
  readonly declaration: ActionDeclaration;
  run(data: unknown, action: ReceivedAction): Promise<HandlerOutcome>;
}

/** Characters of one registration, so that it stays below the size of a message. */
const BATCH_CHARACTERS = 262_144;
/** Characters of the message of a result. The rest is left out. */
const RESULT_CHARACTERS = 100_000;

/** The actions of one client. */
export class TypedActions {
  readonly #actions = new Map<string, Registered>();

  /** Adds or replaces an action. Throws a `RelayError` with the code `Invalid` for a schema without a JSON Schema. */
  define<S extends ActionSchema>(name: string, action: TypedAction<S>): ActionDeclaration {
    const { description, schema } = action;
    const json = action.jsonSchema ?? jsonSchemaOf(name, schema);
    const declaration = { name, description, ...(json !== undefined && { schema: json }) };
    messageText(declaration); // Why here: the program that defines an action that is too large gets the error.
    const check = checkOf(schema, json);
    const run = async (data: unknown, received: ReceivedAction) =>
      await action.handler(await check(data) as DataOf<S>, received); // Why: the schema has accepted it.
    this.#actions.set(name, { declaration, run });
    return declaration;
  }

  has(name: string): boolean {
    return this.#actions.has(name);
  }

  remove(name: string): boolean {
    return this.#actions.delete(name);
  }

  /** All actions, in groups of at most `BATCH_CHARACTERS`, or of one action. */
  get batches(): readonly (readonly ActionDeclaration[])[] {
    const batches: ActionDeclaration[][] = [];
    let length = Infinity;
    for (const { declaration } of this.#actions.values()) {
      const added = JSON.stringify(declaration).length;
      length += added;
      if (length > BATCH_CHARACTERS) {
        batches.push([]);
        length = added;
      }
      batches.at(-1)?.push(declaration);
    }
    return batches;
  }

  /** Runs the handler of an action. Never rejects. `text`: the data of Neuro as JSON. */
  async run(received: ReceivedAction, text: string): Promise<HandlerResult> {
    const action = this.#actions.get(received.name);
    if (action === undefined) return { success: false, message: `There is no action ${received.name} any more.` };
    try {
      const outcome = await action.run(action.declaration.schema === undefined ? undefined : dataIn(text), received);
      return outcomeOf(outcome);
    } catch (error) {
      return { success: false, message: errorText(error) };
    }
  }
}

function outcomeOf(outcome: HandlerOutcome): HandlerResult {
  const { success, message } = typeof outcome === "string"
    ? { success: true, message: outcome }
    : outcome ?? { success: true };
  return { success, ...(message !== undefined && { message: shorten(message, RESULT_CHARACTERS) }) };
}

function dataIn(text: string): unknown {
  try {
    return JSON.parse(text.trim() === "" ? "{}" : text);
  } catch {
    throw new RelayError("The data is not JSON.", "Invalid");
  }
}

const isStandard = (schema: ActionSchema): schema is StandardSchema => schema !== undefined && "~standard" in schema;

/** The JSON Schema that is registered. */
function jsonSchemaOf(name: string, schema: ActionSchema): JsonSchema | undefined {
  if (!isStandard(schema)) return schema;
  const made = schema["~standard"].jsonSchema?.input({ target: "draft-2020-12" });
  if (made === undefined) {
    const { vendor } = schema["~standard"];
    throw new RelayError(`the schema of ${name} (${vendor}) makes no JSON Schema: pass \`jsonSchema\` with it`, "Invalid");
  }
  const { $schema: _, ...json } = made;
  return json;
}

/** A function that returns valid data, and throws an error with the reason for other data. */
function checkOf(schema: ActionSchema, json: JsonSchema | undefined): (data: unknown) => unknown {
  if (json === undefined) return (data) => data;
  if (isStandard(schema)) {
    return async (data) => {
      const result = await schema["~standard"].validate(data);
      if (result.issues === undefined) return result.value;
      throw new RelayError(`The data is invalid: ${result.issues.map(({ message }) => message).join(" ")}`, "Invalid");
    };
  }
  let compiled: CompiledSchema | undefined;
  return (data) => {
    compiled ??= compileSchema(json as JsonObject); // Why: it is sent as JSON.
    const wrong = validationError(compiled, data as Json); // Why: it was parsed from JSON.
    if (wrong === undefined) return data;
    throw new RelayError(`The data is invalid: ${wrong}`, "Invalid");
  };
}
