/** Thrown for internal errors only, never for what a peer sent. The relay confines it to one event of one service. */
export class Panic extends Error {
  override readonly name = "Panic";
}

/** Checks a condition that holds unless this program has an error. */
export function assert(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Panic(claim);
}

/** Ends a `switch` over a closed union: the compiler refuses the call as long as a member is not handled. */
export function assertNever(value: never): never {
  throw new Panic(`a member of a closed union is not handled: ${JSON.stringify(value)}`);
}

/** An attempt that would fail the same way each time, such as a URL that can never be reached or credentials that are refused. */
export class PermanentError extends Error {}
