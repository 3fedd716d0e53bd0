/** The overlay in a browser, and the adapter with a fake OBS. */
import { test } from "#runner";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { check } from "../harness/check.ts";
import { JsonClient, type Message } from "../harness/json-client.ts";
import { find, ROOT } from "../harness/machine.ts";
import { Example, TOKEN, withRelay } from "./fixture.ts";

const PASSWORD = "obs password ü";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");

const CHANGES = ["SetCurrentProgramScene", "SetSceneItemEnabled", "SetInputMute", "SetInputSettings"];

interface FakeObs extends Disposable {
  readonly url: string;
  /** The requests that change something. */
  readonly changes: unknown[];
  refused: number;
  addScene(name: string): void;
}

/**
 * A server of obs-websocket 5: `Hello`, `Identify` with authentication unless there is no password, requests and events. As the real one, it
 * closes a connection that sends a request first (4007) or identifies twice (4008), and refuses a request that it does not know (204).
 */
function fakeObs({ port = 0, hasPassword = true } = {}): FakeObs {
  const salt = "salt";
  const challenge = "challenge";
  const proof = sha256(sha256(PASSWORD + salt) + challenge);
  const scenes = [{ sceneName: "Game" }, { sceneName: "Break" }];
  const inputs = [
    { inputName: "Mic", inputKind: "pulse_input_capture" },
    { inputName: "Title", inputKind: "text_ft2_source_v2" },
  ];
  const sockets = new Set<Bun.ServerWebSocket>();
  const changes: unknown[] = [];
  const answers: Readonly<Record<string, (data: Message) => unknown>> = {
    GetSceneList: () => ({ scenes, currentProgramSceneName: "Game" }),
    GetSceneItemList: () => ({ sceneItems: [{ sceneItemId: 4, sourceName: "Camera" }] }),
    GetInputList: () => ({ inputs }),
  };
  const identified = new Set<Bun.ServerWebSocket>();
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    fetch: (request, bun) => bun.upgrade(request) ? undefined : new Response(null, { status: 400 }),
    websocket: {
      open(socket) {
        sockets.add(socket);
        const authentication = hasPassword ? { authentication: { challenge, salt } } : {};
        socket.send(JSON.stringify({ op: 0, d: { obsWebSocketVersion: "5.6.0", rpcVersion: 1, ...authentication } }));
      },
      message(socket, frame) {
        const { op, d } = JSON.parse(String(frame));
        if (op === 1) {
          if (identified.has(socket)) return socket.close(4008, "You are already identified.");
          if (d.rpcVersion === 1 && (!hasPassword || d.authentication === proof)) {
            identified.add(socket);
            socket.send(JSON.stringify({ op: 2, d: { negotiatedRpcVersion: 1 } }));
          } else {
            fake.refused++;
            socket.close(4009, "Authentication failed.");
          }
        }
        if (op !== 6) return;
        if (!identified.has(socket)) return socket.close(4007, "You need to identify first.");
        const { requestType, requestId, requestData } = d;
        const isKnown = requestData.sceneName !== "Break" && (requestType in answers || CHANGES.includes(requestType));
        if (answers[requestType] === undefined) changes.push([requestType, requestData]);
        const requestStatus = isKnown
          ? { result: true, code: 100 }
          : { result: false, code: requestType in answers ? 600 : 204, comment: "No source was found by that name." };
        socket.send(JSON.stringify({
          op: 7,
          d: {
            requestType,
            requestId,
            requestStatus,
            ...(isKnown && { responseData: answers[requestType]?.(requestData) }),
          },
        }));
      },
      close: (socket) => void sockets.delete(socket),
    },
  });
  const fake: FakeObs = {
    url: `ws://127.0.0.1:${server.port}`,
    changes,
    refused: 0,
    addScene(sceneName) {
      scenes.push({ sceneName });
      for (const socket of sockets) {
        socket.send(JSON.stringify({ op: 5, d: { eventType: "SceneCreated", eventIntent: 4, eventData: { sceneName } } }));
      }
    },
    [Symbol.dispose]: () => void server.stop(true),
  };
  return fake;
}

const actionsOf = async (person: JsonClient): Promise<Message> => {
  person.send({ query: "get_registered_actions", request_id: "actions" });
  return (await person.next(({ request_id }) => request_id === "actions")).actions;
};

test(
  "EG5 the OBS adapter registers what OBS has, carries actions out, reports refusals, and asks for a scene",
  () =>
    withRelay(async ({ urls }) => {
      using obs = fakeObs();
      const person = await JsonClient.open(urls.intermediary);
      person.send({ type: "neuro-os", name: "person", auth_token: TOKEN });
      const adapter = new Example("obs-adapter.ts", [urls.intermediary, TOKEN, obs.url], undefined, {
        OBS_PASSWORD: PASSWORD,
      });
      try {
        await adapter.printed(/connected to OBS/);
        await person.next(({ event, actions }) =>
          event === "integration_registered_actions" && actions.includes("set_text")
        );
        const outcomes = [];
        for (
          const [selected, data] of [
            ["switch_scene", { scene: "Game" }],
            ["show_source", { source: "Camera", visible: false }],
            ["mute", { input: "Mic", muted: true }],
            ["set_text", { source: "Title", text: "Hello" }],
            ["switch_scene", { scene: "Break" }],
          ] as const
        ) {
          person.send({ choice: { selected, data } });
          const { success, message } = await person.next(({ event, name }) =>
            event === "action_result" && name === selected
          );
          outcomes.push([success, message]);
        }
        check.equal(outcomes, [
          [true, "The scene is Game now."],
          [true, "Camera is hidden now."],
          [true, "Mic is muted now."],
          [true, 'Title says "Hello" now.'],
          [false, "No source was found by that name."],
        ]);
        check.equal(obs.changes.slice(0, 4), [
          ["SetCurrentProgramScene", { sceneName: "Game" }],
          ["SetSceneItemEnabled", { sceneName: "Game", sceneItemId: 4, sceneItemEnabled: false }],
          ["SetInputMute", { inputName: "Mic", inputMuted: true }],
          ["SetInputSettings", { inputName: "Title", inputSettings: { text: "Hello" } }],
        ]);
        person.take();
        obs.addScene("End");
        await person.next(({ event, actions }) =>
          event === "integration_registered_actions" && actions.includes("switch_scene")
        );
        check.equal((await actionsOf(person))["obs.switch_scene"].properties.scene.enum, ["Game", "Break", "End"]);
        person.send({ target: "obs", cmd: { action: "ask_scene" } });
        check.equal((await person.next(({ event }) => event === "force_opened")).actions, ["switch_scene"]);
        obs[Symbol.dispose]();
        await adapter.printed(/OBS is not connected/);
        while (Object.keys(await actionsOf(person)).length > 0) await Bun.sleep(10);
        person.close();
      } finally {
        await adapter.stop();
      }
    }),
  { timeoutMs: 30_000 },
);

test("EG5b the OBS adapter with a wrong password is told so", () =>
  withRelay(async ({ urls }) => {
    using obs = fakeObs();
    const adapter = new Example("obs-adapter.ts", [urls.intermediary, TOKEN, obs.url], undefined, {
      OBS_PASSWORD: "wrong",
    });
    await adapter.printed(/OBS is not connected: 4009 Authentication failed\./);
    check.that(obs.refused > 0);
    await adapter.stop();
  }), { timeoutMs: 30_000 });

test(
  "EG5c the OBS adapter connects again when OBS is back, also without a password, and acts again",
  () =>
    withRelay(async ({ urls }) => {
      const first = fakeObs();
      const person = await JsonClient.open(urls.intermediary);
      person.send({ type: "neuro-os", name: "person", auth_token: TOKEN });
      const adapter = new Example("obs-adapter.ts", [urls.intermediary, TOKEN, first.url], undefined, {
        OBS_PASSWORD: PASSWORD,
      });
      try {
        await adapter.printed(/connected to OBS/);
        first[Symbol.dispose]();
        await adapter.printed(/OBS is not connected/);
        while (Object.keys(await actionsOf(person)).length > 0) await Bun.sleep(10);
        using second = fakeObs({ port: Number(new URL(first.url).port), hasPassword: false });
        await adapter.printed(/connected to OBS[^]*OBS is not connected[^]*connected to OBS/);
        while ((await actionsOf(person))["obs.mute"] === undefined) await Bun.sleep(10);
        person.send({ choice: { selected: "mute", data: { input: "Mic", muted: true } } });
        const { success } = await person.next(({ event, name }) => event === "action_result" && name === "mute");
        check.equal([success, second.changes], [true, [["SetInputMute", { inputName: "Mic", inputMuted: true }]]]);
      } finally {
        person.close();
        await adapter.stop();
      }
    }),
  { timeoutMs: 30_000 },
);

const OVERLAY = join(ROOT, "examples/obs-overlay.html");
const LOCAL_ORIGINS = ["null", "file://", "http://absolute"];
const OWN_TOKEN = "a-token-of-its-own";
const FOR_OVERLAYS = [
  `security.allowed_origins=${JSON.stringify(LOCAL_ORIGINS)}`,
  `intermediary.auth_token=${OWN_TOKEN}`,
];

test("EG4 a page of a local file is accepted only if its origin is in `security.allowed_origins`", async () => {
  const opens = async (url: string, origin: string): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = new WebSocket(url, { headers: { origin } });
    socket.onopen = () => resolve(true);
    socket.onerror = () => resolve(false);
    const isOpen = await promise;
    socket.close();
    return isOpen;
  };
  await withRelay(async ({ urls }) => {
    for (const origin of LOCAL_ORIGINS) check.equal(await opens(urls.intermediary, origin), false, origin);
    check.equal(await opens(urls.intermediary, "http://127.0.0.1:8080"), true);
  });
  await withRelay(async ({ urls }) => {
    for (const origin of LOCAL_ORIGINS) check.equal(await opens(urls.intermediary, origin), true, origin);
  }, FOR_OVERLAYS);
}, { timeoutMs: 30_000 });

test("EG3 the overlay shows the open question and the last action, from a file and from a server", async () => {
  const executablePath = find("chromium");
  if (executablePath === undefined) return console.log("not run, because there is no browser");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(readFileSync(OVERLAY), { headers: { "content-type": "text/html" } }),
  });
  try {
    await withRelay(async ({ urls }) => {
      for (const address of [`file://${OVERLAY}`, server.url.href]) {
        const person = await JsonClient.open(urls.intermediary);
        person.send({ type: "neuro-os", name: "person", auth_token: OWN_TOKEN });
        const page = await browser.newPage();
        await page.goto(`${address}#${new URLSearchParams({ relay: urls.intermediary, token: OWN_TOKEN })}`);
        await person.next(({ event, name }) => event === "neuroos_connected" && name === "obs-overlay");
        const jukebox = await JsonClient.open(urls.intermediary);
        jukebox.send({ type: "integration", name: "jukebox", auth_token: OWN_TOKEN });
        jukebox.send({ event: "register_actions", actions: [{ name: "play_song", description: "Play." }] });
        jukebox.send({ command: "actions/force", data: { query: "<b>What now?</b>", action_names: ["play_song"] } });
        await page.getByText("jukebox: <b>What now?</b>").waitFor();
        await page.getByText("play_song", { exact: true }).waitFor();
        jukebox.send({ choice: { selected: "play_song" } });
        const { payload } = await jukebox.next(({ event }) => event === "action");
        jukebox.send({ event: "action_result", payload: { id: payload.id, success: true, message: "It plays." } });
        await page.getByText("play_song ✓ It plays.").waitFor();
        await page.getByText("What now?").waitFor({ state: "hidden" });
        jukebox.close();
        person.close();
        await page.close();
      }
    }, FOR_OVERLAYS);
  } finally {
    await server.stop(true);
    await browser.close();
  }
}, { timeoutMs: 60_000 });
