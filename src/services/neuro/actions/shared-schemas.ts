/**
 * Schemas of actions that several games register are kept once: many games are copies of one program, or use the same helper.
 *
 * A game is charged for its actions as if it had a schema of its own. What is kept for games to come is charged to the service.
 * Knows nothing of: games, actions.
 */
import type { JsonObject } from "../../../core/json.ts";
import type { Action } from "../../../core/neuro-messages.ts";
import { RetainedBytes, retainedBytes } from "../../../core/retained-bytes.ts";

/** Schemas that are kept for games to come, and characters of one. */
const SCHEMAS_MAX = 256;
const TEXT_LENGTH_MAX = 2_048;

export class SharedSchemas {
  /** By their text, the one that was kept first at the front. */
  readonly #byText = new Map<string, JsonObject>();
  readonly #retained: RetainedBytes;

  constructor(owner: RetainedBytes) {
    this.#retained = new RetainedBytes(owner);
  }

  /** The action with a shared schema. */
  withShared(action: Action): Action {
    return action.schema === undefined ? action : { ...action, schema: this.#share(action.schema) };
  }

  /** An equal schema: the one that is kept, if there is one. Equal are those with the same text, so the order of keys stays as it is. */
  #share(schema: JsonObject): JsonObject {
    const text = JSON.stringify(schema);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (text.length > TEXT_LENGTH_MAX) return schema;
    if (this.#byText.size >= SCHEMAS_MAX) this.#dropFirst();
    this.#byText.set(text, schema);
    this.#retained.charge(bytesOf(text, schema));
    return schema;
  }

  #dropFirst(): void {
    for (const [text, schema] of this.#byText) {
      this.#byText.delete(text);
      return this.#retained.release(bytesOf(text, schema));
    }
  }
}

const bytesOf = (text: string, schema: JsonObject): number => retainedBytes(text) + retainedBytes(schema);
