/** Why a store could not be opened, in words for whoever starts the relay. */
export class OpenFailure extends Error {
  override readonly name = "OpenFailure";
  /** Another process has it. */
  readonly isInUse: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly isInUse?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.isInUse = options.isInUse ?? false;
  }
}
