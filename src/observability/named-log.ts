/** The part of a log that one of several relays writes: each line has the name of the relay. */
import type { Log } from "./logger.ts";

/** The log itself belongs to the process: closing this part, or configuring it, has no effect. */
export const namedLog = (log: Log, relay: string): Log => ({
  secrets: log.secrets,
  isOn: (source, level) => log.isOn(source, level),
  write: (line) => log.write({ ...line, text: `${relay}: ${line.text}`, properties: { ...line.properties, relay } }),
  configure: () => {},
  close: () => Promise.resolve(),
});
