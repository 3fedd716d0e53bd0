/**
 * OBS for Neuro: she switches scenes, shows and hides sources, mutes inputs and sets texts, over obs-websocket 5 (part of OBS 28 and later).
 *
 * Run it with `OBS_PASSWORD=... bun examples/obs-adapter.ts [RELAY_URL] [TOKEN] [OBS_URL]`. Neuro sees its actions while OBS is connected.
 * A watcher's command `{"action":"ask_scene"}` asks her to choose a scene.
 */
import process from "node:process";
// In a program of your own: "@nakurity/neuro-relay/integration".
import { IntegrationClient } from "../src/clients/integration.ts";

const [relayUrl = "ws://127.0.0.1:8765", token = "super-secret-token", obsUrl = "ws://127.0.0.1:4455"] = process.argv.slice(
  2,
);
const password = process.env["OBS_PASSWORD"] ?? "";

const RPC_VERSION = 1;
/** General, scenes, inputs and scene items. */
const EVENTS = 1 | 4 | 8 | 128;
const REQUEST_MS = 5_000;
const RETRY_MS = 2_000;
const NAMES_MAX = 100;

type Fields = Record<string, unknown>;

interface OpenRequest {
  resolve(data: Fields): void;
  reject(error: Error): void;
}

/** A connection to obs-websocket 5. */
class Obs {
  readonly #socket: WebSocket;
  readonly #requests = new Map<string, OpenRequest>();
  readonly #onIdentified: () => void;
  readonly #onEvent: (type: string) => void;
  #count = 0;

  constructor(on: { identified(): void; event(type: string): void; closed(code: number, reason: string): void }) {
    this.#onIdentified = on.identified;
    this.#onEvent = on.event;
    this.#socket = new WebSocket(obsUrl);
    this.#socket.onmessage = ({ data }) => void this.#receive(JSON.parse(String(data)));
    this.#socket.onclose = ({ code, reason }) => {
      for (const { reject } of this.#requests.values()) reject(new Error("OBS is not connected."));
      this.#requests.clear();
      on.closed(code, reason);
    };
  }

  /** Sends a request. Rejects with the comment of OBS if it refuses it, and if it does not answer within 5 s. */
  request(requestType: string, requestData: Fields = {}): Promise<Fields> {
    const requestId = String(++this.#count);
    const { promise, resolve, reject } = Promise.withResolvers<Fields>();
    const timer = setTimeout(() => reject(new Error("OBS does not answer.")), REQUEST_MS);
    this.#requests.set(requestId, { resolve, reject });
    this.#send(6, { requestType, requestId, requestData });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#requests.delete(requestId);
    });
  }

  async #receive({ op, d }: { readonly op: number; readonly d: Fields }): Promise<void> {
    if (op === 0) {
      const authentication = await proofOf(d["authentication"] as { challenge: string; salt: string } | undefined);
      this.#send(1, { rpcVersion: RPC_VERSION, eventSubscriptions: EVENTS, ...(authentication && { authentication }) });
    }
    if (op === 2) this.#onIdentified();
    if (op === 5) this.#onEvent(String(d["eventType"]));
    if (op === 7) {
      const { result, code, comment } = d["requestStatus"] as { result: boolean; code: number; comment?: string };
      const open = this.#requests.get(String(d["requestId"]));
      if (result) open?.resolve(d["responseData"] as Fields ?? {});
      else open?.reject(new Error(comment ?? `OBS refused it (${code}).`));
    }
  }

  #send(op: number, d: Fields): void {
    this.#socket.send(JSON.stringify({ op, d }));
  }
}

/** The proof that the password is known: `base64(sha256(base64(sha256(password + salt)) + challenge))`. */
async function proofOf(
  asked: { readonly challenge: string; readonly salt: string } | undefined,
): Promise<string | undefined> {
  return asked && await digest(await digest(password + asked.salt) + asked.challenge);
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

const relay = new IntegrationClient(relayUrl, {
  name: "obs",
  token,
  command: ({ cmd }) => {
    if (JSON.stringify(cmd).includes("ask_scene")) {
      relay.force({ query: "Which scene should be shown?", actions: ["switch_scene"] });
    }
  },
});

const namesIn = (list: unknown, field: string): string[] =>
  (list as readonly Fields[]).map((item) => String(item[field])).slice(0, NAMES_MAX);

/** Names that Neuro can choose from. */
const oneOf = (names: readonly string[]) => ({ type: "string", enum: names }) as const;

/** Registers the actions for what OBS has now. */
async function register(obs: Obs): Promise<void> {
  const { scenes, currentProgramSceneName: scene } = await obs.request("GetSceneList");
  const { sceneItems } = await obs.request("GetSceneItemList", { sceneName: scene });
  const { inputs } = await obs.request("GetInputList");
  const items = sceneItems as readonly { readonly sourceName: string; readonly sceneItemId: number }[];
  const texts = (inputs as readonly Fields[]).filter(({ inputKind }) => String(inputKind).startsWith("text_"));

  registerIf("switch_scene", namesIn(scenes, "sceneName"), (names) =>
    relay.action("switch_scene", {
      description: "Show a scene of the stream.",
      schema: { type: "object", properties: { scene: oneOf(names) }, required: ["scene"] },
      handler: async ({ scene: sceneName }) => {
        await obs.request("SetCurrentProgramScene", { sceneName });
        return `The scene is ${sceneName} now.`;
      },
    }));
  registerIf("show_source", namesIn(items, "sourceName"), (names) =>
    relay.action("show_source", {
      description: "Show or hide a source of the present scene.",
      schema: {
        type: "object",
        properties: { source: oneOf(names), visible: { type: "boolean" } },
        required: ["source", "visible"],
      },
      handler: async ({ source, visible }) => {
        const sceneItemId = items.find(({ sourceName }) => sourceName === source)?.sceneItemId;
        await obs.request("SetSceneItemEnabled", { sceneName: scene, sceneItemId, sceneItemEnabled: visible });
        return `${source} is ${visible ? "visible" : "hidden"} now.`;
      },
    }));
  registerIf("mute", namesIn(inputs, "inputName"), (names) =>
    relay.action("mute", {
      description: "Mute or unmute an input.",
      schema: {
        type: "object",
        properties: { input: oneOf(names), muted: { type: "boolean" } },
        required: ["input", "muted"],
      },
      handler: async ({ input, muted }) => {
        await obs.request("SetInputMute", { inputName: input, inputMuted: muted });
        return `${input} is ${muted ? "muted" : "audible"} now.`;
      },
    }));
  registerIf("set_text", namesIn(texts, "inputName"), (names) =>
    relay.action("set_text", {
      description: "Change the text of a text source.",
      schema: {
        type: "object",
        properties: { source: oneOf(names), text: { type: "string", maxLength: 200 } },
        required: ["source", "text"],
      },
      handler: async ({ source, text }) => {
        await obs.request("SetInputSettings", { inputName: source, inputSettings: { text } });
        return `${source} says ${JSON.stringify(text)} now.`;
      },
    }));
}

const registered = new Map<string, string>();

/** Registers an action whose names have changed, and removes one without any. Neuro is slower after each change of her actions. */
function registerIf(name: string, names: readonly string[], define: (names: readonly string[]) => void): void {
  if (names.length === 0) return removeAction(name);
  const key = JSON.stringify(names);
  if (registered.get(name) === key && name !== "show_source") return;
  registered.set(name, key);
  define(names);
}

function removeAction(name: string): void {
  registered.delete(name);
  relay.removeAction(name);
}

function connect(): void {
  const update = () => void register(obs).catch((error: unknown) => console.log(String(error)));
  const obs = new Obs({
    identified: () => {
      console.log("connected to OBS");
      update();
    },
    event: (type) => {
      if (/^(Scene|CurrentProgramScene|Input(Created|Removed|NameChanged))/.test(type)) update();
    },
    closed: (code, reason) => {
      console.log(`OBS is not connected: ${code} ${reason}`.trimEnd());
      for (const name of [...registered.keys()]) removeAction(name);
      setTimeout(connect, RETRY_MS);
    },
  });
}

relay.onEvent((event) => {
  if (event.is === "registered") console.log(`registered as ${event.name}`);
  if (event.is === "takenOver" || event.is === "refused") {
    console.log(event.error.message);
    process.exit(1);
  }
});
connect();
