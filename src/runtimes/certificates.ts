/**
 * Certificates of listeners. Their files are read at the start, and again when they change, because certificates are renewed every few
 * weeks.
 *
 * Invariant: a listener never gets a certificate that cannot be read, or whose key belongs to another one: until a valid pair is found, the
 * old one stays.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Millis } from "../core/ids.ts";
import { LISTENER_BLOCKS, type ListenerBlock } from "../core/service.ts";
import type { Settings, TlsSettings } from "../core/settings.ts";
import { errorText } from "../core/text.ts";
import { StartError } from "./serve-options.ts";

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const POLL_MS: Millis = 5_000;

/** The certificate in these files; undefined without TLS. Throws a `StartError` that names the setting. */
export function readCertificate(block: ListenerBlock, { cert, key }: TlsSettings): Certificate | undefined {
  if (cert === "" && key === "") return undefined;
  const read = <T>(name: string, file: string, parse: (pem: string) => T): readonly [pem: string, parsed: T] => {
    try {
      const pem = readFileSync(file, "utf8");
      return [pem, parse(pem)];
    } catch (error) {
      throw new StartError(`${block}.tls.${name}: ${file} cannot be used: ${errorText(error)}`);
    }
  };
  const [certificate, parsed] = read("cert", cert, (pem) => new X509Certificate(pem));
  const [privateKey, parsedKey] = read("key", key, (pem) => createPrivateKey(pem));
  if (!parsed.checkPrivateKey(parsedKey)) throw new StartError(`${block}.tls.key: ${key} is not the key of ${cert}`);
  if (Date.parse(parsed.validTo) < Date.now()) {
    throw new StartError(`${block}.tls.cert: ${cert} expired on ${parsed.validTo}`);
  }
  return { cert: certificate, key: privateKey };
}

/** What is wrong with the certificates of the enabled listeners. */
export function certificateProblems(settings: Settings): readonly string[] {
  return LISTENER_BLOCKS.filter((block) => settings[block].enabled).flatMap((block) => {
    try {
      readCertificate(block, settings[block].tls);
      return [];
    } catch (error) {
      return [errorText(error)];
    }
  });
}

/** The certificate of one listener. Its files are followed from `follow` until `stop`. */
export class ListenerCertificate {
  readonly #block: ListenerBlock;
  readonly #tls: TlsSettings;
  /** Takes a line for the log. */
  readonly #note: (line: string) => void;
  #current: Certificate | undefined;
  #renew: () => Promise<void> = () => Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The last problem, which is reported once. */
  #problem = "";

  /** Throws a `StartError` for a certificate that cannot be used. */
  constructor(block: ListenerBlock, tls: TlsSettings, note: (line: string) => void) {
    this.#block = block;
    this.#tls = tls;
    this.#note = note;
    this.#current = readCertificate(block, tls);
  }

  /** Undefined without TLS. */
  get current(): Certificate | undefined {
    return this.#current;
  }

  /** `renew` is called when there is another certificate. */
  follow(renew: () => Promise<void>): void {
    if (this.#current === undefined) return;
    this.#renew = renew;
    this.#timer = setInterval(() => void this.poll(), POLL_MS);
    this.#timer.unref();
  }

  /** Reads the files now. */
  async poll(): Promise<void> {
    try {
      const found = readCertificate(this.#block, this.#tls);
      this.#problem = "";
      if (found?.cert === this.#current?.cert && found?.key === this.#current?.key) return;
      this.#current = found;
      await this.#renew();
      this.#note(`${this.#block}.tls: the certificate was read again`);
    } catch (error) {
      const problem = errorText(error);
      if (problem !== this.#problem) this.#note(`${problem}; the old certificate stays`);
      this.#problem = problem;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
