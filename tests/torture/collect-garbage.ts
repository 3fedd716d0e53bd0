/** Loaded by a relay under test: SIGUSR1 collects its garbage, so that its resident memory shows what it keeps. */
process.on("SIGUSR1", () => Bun.gc(true));
