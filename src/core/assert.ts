/** Thrown for our own mistakes only, never for what a peer sent. The relay confines it to one event of one room. */
export class Panic extends Error {
  override readonly name = "Panic";
}

/** States what must hold if this program is right. */
export function assert(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Panic(claim);
}
