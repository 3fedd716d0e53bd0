/** When a socket counts as relieved of its backlog. */

/** A socket whose backlog fell to this many bytes is relieved. */
export const EASED_BYTES: number = 64 * 1_024;
