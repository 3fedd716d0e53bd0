/** A text of each format of JSON Schema, with any digit in it. Other formats only describe a value. */
export const FORMAT_SAMPLES: ReadonlyMap<string, (digit: string) => string> = new Map([
  ["date-time", (digit) => `2031-05-1${digit}T08:30:00Z`],
  ["date", (digit) => `2031-05-1${digit}`],
  ["time", (digit) => `08:3${digit}:00Z`],
  ["duration", (digit) => `PT1${digit}M`],
  ["email", (digit) => `neuro${digit}@example.com`],
  ["hostname", (digit) => `host${digit}.example.com`],
  ["ipv4", (digit) => `192.0.2.1${digit}`],
  ["ipv6", (digit) => `2001:db8::${digit}`],
  ["uri", (digit) => `https://example.com/${digit}`],
  ["uri-reference", (digit) => `/${digit}`],
  ["uuid", (digit) => `0e6d4c1a-5b7f-4a3e-9c2d-8f1b6a7d5e0${digit}`],
  ["json-pointer", (digit) => `/a/${digit}`],
  ["regex", (digit) => `a${digit}`],
]);
