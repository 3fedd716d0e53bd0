/** The store cannot be opened. The message names the reason for the operator. */
export class StoreOpenError extends Error {
  override readonly name = "StoreOpenError";
  /** Another process uses it. */
  readonly isInUse: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly isInUse?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.isInUse = options.isInUse ?? false;
  }
}
