/**
 * Preloaded before the relay: shifts the clock by the milliseconds in the file `clock-offset` of its folder, which is read again at each
 * SIGUSR2.
 */
import { readFileSync } from "node:fs";
import process from "node:process";

const RealDate = Date;
const realNow = Date.now.bind(Date);
let offset = read();
process.on("SIGUSR2", () => (offset = read()));

function read(): number {
  try {
    return Number(readFileSync("clock-offset", "utf8"));
  } catch {
    return 0;
  }
}

Date.now = () => realNow() + offset;
globalThis.Date = new Proxy(RealDate, {
  construct: (real, given) => given.length === 0 ? new real(realNow() + offset) : Reflect.construct(real, given),
});
