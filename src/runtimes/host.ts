/**
 * A relay within a process, whatever the runtime: the log, the store, the rooms, the engine and the web app, made in order and
 * taken down in reverse. A runtime adds the sockets.
 */
import type { Event } from "../core/event.ts";
import type { Note } from "../core/note.ts";
import type { RoomName } from "../core/room.ts";
import type { Settings } from "../core/settings.ts";
import { Engine, type Jobs, type Sockets, type Store } from "../engine/mod.ts";
import { type App, createApp, Tokens } from "../http/app.ts";
import { createMeters, inferLine, type Log, type Meters, observer, openLog } from "../observability/mod.ts";
import { Relay } from "../relay/mod.ts";
import { rooms as allRooms } from "../relay/rooms.ts";
import manifest from "../../package.json" with { type: "json" };
import { createClock } from "./clock.ts";
import { numbersIn } from "./numbers.ts";
import { lazyJobs, openStorage } from "./resources.ts";
import type { ReadableUploads, ServeOptions } from "./served.ts";
import { webToken } from "./web-token.ts";

/** What is there before the engine is. */
export interface Host {
  readonly app: App;
  readonly meters: Meters;
  readonly rooms: readonly RoomName[];
  readonly webToken: string;
  readonly observe: (note: Note) => void;
  /** Hands in what happened; before `start` it is kept. */
  readonly push: (event: Event) => void;
  /** Restores the rooms and lets them run. */
  start(sockets: Sockets): Promise<void>;
  configure(settings: Settings): void;
  /** From now on nothing new is accepted; resolves when the rooms are done and all is written. */
  drain(): Promise<void>;
  /** Closes the store and the log. */
  close(): Promise<void>;
}

export async function createHost(settings: Settings, options: ServeOptions): Promise<Host> {
  const log = await openLog(settings.log, options.log ?? ((line) => console.error(line)));
  return new ProcessHost(log, { settings, options, token: await webToken(settings) });
}

interface Parts {
  readonly settings: Settings;
  readonly options: ServeOptions;
  readonly token: string;
}

/** A room that never says it is done must not keep the process from ending. */
const PATIENCE_MS = 2_000;

class ProcessHost implements Host {
  readonly app: App;
  readonly meters: Meters = createMeters();
  readonly rooms: readonly RoomName[];
  readonly webToken: string;
  readonly observe: (note: Note) => void;
  readonly #log: Log;
  readonly #relay: Relay;
  readonly #options: ServeOptions;
  readonly #startedAt = performance.now();
  #settings: Settings;
  #tokens: Tokens;
  #engine: Engine | undefined;
  #early: Event[] = [];
  #store: Store | undefined;
  #uploads: ReadableUploads | undefined;
  #isDraining = false;

  constructor(log: Log, { settings, options, token }: Parts) {
    const hosted = options.rooms ?? allRooms(settings);
    this.#log = log;
    this.#settings = settings;
    this.#options = options;
    this.webToken = token;
    this.#tokens = new Tokens(settings, token);
    this.#relay = new Relay(hosted, settings);
    this.rooms = hosted.map(({ name }) => name);
    const observe = observer(log, this.meters, Date.now);
    const print = options.print ?? console.log;
    this.observe = (note) => {
      observe(note);
      if (note.is === "inferred" && (settings.brain.log_json || settings.brain.test_mode)) print(inferLine(note));
    };
    this.app = createApp({
      version: manifest.version,
      rooms: this.rooms,
      settings: () => this.#settings,
      tokens: () => this.#tokens,
      observe: this.observe,
      isDraining: () => this.#isDraining,
      ask: (question, scopes) => this.#engine?.ask(question, scopes) ?? Promise.resolve({ fault: "restarting" }),
      metrics: () => this.#metrics(),
      readUpload: (file) => this.#uploads?.read(file) ?? Promise.resolve(undefined),
    });
  }

  readonly push = (event: Event): void => {
    if (this.#engine === undefined) this.#early.push(event);
    else this.#engine.push(event);
  };

  async start(sockets: Sockets): Promise<void> {
    const { store, uploads } = await openStorage(this.#settings, this.#options, this.observe);
    this.#store = store;
    this.#uploads = uploads;
    const clock = createClock(() => this.#engine?.tick());
    const ports = { sockets, store, uploads, clock, jobs: this.#options.jobs ?? lazyJobs, observe: this.observe };
    this.#engine = await Engine.start(this.#relay, { settings: this.#settings, ports });
    for (const event of this.#early) this.#engine.push(event);
    this.#early = [];
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.#tokens = new Tokens(settings, settings.web.token === "" ? this.webToken : settings.web.token);
    this.#log.configure(settings.log);
    this.#engine?.configure(settings);
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    const { promise: lateEnough, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#settings.shutdown.grace + PATIENCE_MS);
    await Promise.race([this.#engine?.drain(), lateEnough]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    await this.#store?.close();
    await this.#log.close();
  }

  async #metrics(): Promise<string> {
    const { uptime, lag, status, all } = this.meters;
    uptime.set((performance.now() - this.#startedAt) / 1_000);
    const asked = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    lag.set((performance.now() - asked) / 1_000);
    for (const room of this.rooms) {
      const answer = await this.#engine?.ask({ of: room, get: "status" }, ["watch"]);
      if (answer === undefined || "fault" in answer) continue;
      for (const [name, value] of numbersIn(answer.body)) status.of(room, name).set(value);
    }
    return all.text();
  }
}
