/**
 * Postpones just-in-time compilation while a program starts. Only Bun can.
 *
 * Why: almost all code of a start runs once. Compiling it takes a quarter of the CPU time of a start, and 5 MB.
 */
interface BunGlobal {
  readonly Bun?: { readonly unsafe: { setJITPolicy?(scale: number): void }; shrink?(): void };
}

/** Functions have to run this many times as often as usual before they are compiled. A higher value changes nothing more. */
const START_SCALE = 50;
/** After a relay is ready, its first jobs and dials still run code that runs once. */
const LAST_STEPS_MS = 300;

export const postponeJit = (): void => scaleJit(START_SCALE);

/** To be called when the start is over. */
export const resumeJit = (): void => scaleJit(1);

/**
 * To be called when a relay is ready.
 *
 * Why `shrink`: the bytecode of what ran once takes 2 MB. The bytecode of what runs again is taken from the program.
 */
export function endStart(): void {
  setTimeout(() => {
    const { Bun }: BunGlobal = globalThis;
    Bun?.shrink?.();
    resumeJit();
  }, LAST_STEPS_MS);
}

function scaleJit(scale: number): void {
  const { Bun }: BunGlobal = globalThis;
  Bun?.unsafe.setJITPolicy?.(scale); // Why optional: Bun 1.4.0 may not have it.
}
