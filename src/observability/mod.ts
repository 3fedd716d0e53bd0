/** What the relay tells about itself: the log and the metrics, both made from notes by one table. */
export { inferLine } from "./infer-line.ts";
export { Lag } from "./lag.ts";
export { Lines } from "./lines.ts";
export { type Line, type Log, openLog } from "./logger.ts";
export type { Cell } from "./metrics.ts";
export { createMeters, type Meters } from "./meters.ts";
export { type Observer, observer } from "./observer.ts";
export { scrape } from "./scrape.ts";
export { oneLine, quoted, withoutSecrets } from "./text.ts";
