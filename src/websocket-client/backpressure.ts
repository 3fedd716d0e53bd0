/** When a socket is relieved of its backpressure. */

/** A socket is relieved once at most this many bytes are left to send. */
export const RELIEVED_BYTES: number = 64 * 1_024;
