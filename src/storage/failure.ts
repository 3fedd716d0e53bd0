/** Why a store could not be opened, in words for whoever starts the relay. */
export class OpenFailure extends Error {
  override readonly name = "OpenFailure";
}
