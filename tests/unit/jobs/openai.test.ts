/** The job `decide` against an endpoint that is a function, and together with the decider that starts it. */
import { test } from "#runner";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Effect } from "../../../src/core/effect.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { PermanentError } from "../../../src/core/assert.ts";
import type { StepContext } from "../../../src/core/context.ts";
import { createJobs } from "../../../src/jobs/mod.ts";
import { createDecider, type Decider } from "../../../src/services/neuro/standalone/decider-state.ts";
import { decideDue, handleMessage, jobFinished } from "../../../src/services/neuro/standalone/decider.ts";
import { hostOf } from "../services/neuro/standalone/decider-fixture.ts";
import { check } from "../../harness/check.ts";

const SETTINGS: Settings = {
  ...DEFAULTS,
  "nakurity-backend": {
    ...DEFAULTS["nakurity-backend"],
    decider: "openai",
    openai: { ...DEFAULTS["nakurity-backend"].openai, url: "http://model.test/v1/", model: "small", timeout: 5_000 },
  },
};
const INPUT: Json = {
  state: "board",
  query: "Your move",
  actions: [{ name: "move", description: "Moves.", schema: { type: "object" } }],
  memory: ["before"],
};

interface Request {
  readonly url: string;
  readonly init: RequestInit;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
  };
}

/** An endpoint that gives these answers, one after the other. */
function endpoint(...answers: readonly (() => Response)[]) {
  const requests: Request[] = [];
  const fetch = (url: string, init: RequestInit): Promise<Response> => {
    requests.push({ url, init, body: JSON.parse(String(init.body)) });
    const answer = answers[requests.length - 1];
    return answer === undefined ? Promise.reject(new Error("no more answers")) : Promise.resolve(answer());
  };
  return { requests, fetch };
}

const says = (content: Json) => () => Response.json({ choices: [{ message: { role: "assistant", content } }] });
const decide = (answer: () => Response, input: Json = INPUT): Promise<Json> =>
  createJobs({ fetch: endpoint(answer).fetch, apiKey: undefined }).run("decide", input, SETTINGS);

test("NB160 the endpoint gets one request, with the model, the key, the task and all that the decision needs", async () => {
  const { requests, fetch } = endpoint(says('{"name":"move"}'));
  const output = await createJobs({ fetch, apiKey: "sk-1" }).run("decide", { ...INPUT, wrong: "too far" }, SETTINGS);
  check.equal(output, { name: "move" });
  check.equal(requests.length, 1);
  const [{ url, init, body }] = requests as [Request];
  check.equal(url, "http://model.test/v1/chat/completions");
  check.equal(new Headers(init.headers).get("authorization"), "Bearer sk-1");
  check.equal(init.redirect, "error");
  check.that(init.signal instanceof AbortSignal);
  check.equal([body.model, body.messages.map(({ role }) => role)], ["small", ["system", "user"]]);
  for (const part of ["before", "board", "Your move", '"move"', "Moves.", '"type":"object"', "too far"]) {
    check.that(body.messages[1]?.content.includes(part), part);
  }
});

test("NB160 without a key no key is sent", async () => {
  const { requests, fetch } = endpoint(says('{"name":"move"}'));
  await createJobs({ fetch, apiKey: undefined }).run("decide", INPUT, SETTINGS);
  check.equal(new Headers(requests[0]?.init.headers).has("authorization"), false);
});

test("NB161 the object is found in the text that models write around it", async () => {
  const wanted = { name: "move", data: { to: "{a}" } };
  const text = JSON.stringify(wanted);
  for (
    const content of [
      text,
      `\`\`\`json\n${text}\n\`\`\``,
      `<think>Maybe {"name":"pass"}?</think>\nI choose ${text}.`,
      [{ type: "text", text }],
    ]
  ) {
    check.equal(await decide(says(content)), wanted);
  }
});

test("NB162 an unusable answer is a failure whose reason does not contain the key", async () => {
  const useless: readonly (() => Response)[] = [
    () => new Response("sk-secret", { status: 401 }),
    () => new Response("<html>"),
    () => Response.json({}),
    () => Response.json({ choices: [{ message: { content: null } }] }),
    says("I will not."),
    says("{broken}"),
    () => new Response("x".repeat(300_000)),
  ];
  for (const answer of useless) {
    const { fetch } = endpoint(answer);
    const error: unknown = await createJobs({ fetch, apiKey: "sk-secret" }).run("decide", INPUT, SETTINGS).catch((e) => e);
    check.that(error instanceof Error && !error.message.includes("sk-secret"));
  }
});

test("NB165 a failure that every further request would repeat is final, and names what to correct; any other is not", async () => {
  const job = async (url: string, status: number): Promise<unknown> => {
    const { fetch } = endpoint(() => new Response("sk-secret", { status }));
    const backend = SETTINGS["nakurity-backend"];
    const settings = { ...SETTINGS, "nakurity-backend": { ...backend, openai: { ...backend.openai, url } } };
    return await createJobs({ fetch, apiKey: "sk-secret" }).run("decide", INPUT, settings).catch((error: unknown) => error);
  };
  for (const status of [401, 403, 404, 405, 410]) {
    const error = await job("http://model.test/v1", status);
    check.that(error instanceof PermanentError, String(status));
    check.match(error.message, /OPENAI_API_KEY|nakurity-backend\.openai/);
  }
  for (const url of ["", "model.test/v1", "ws://model.test", "http://", "http://a b/"]) {
    const error = await job(url, 200);
    check.that(error instanceof PermanentError, url);
    check.match(error.message, /nakurity-backend\.openai\.url/);
  }
  for (const status of [400, 408, 422, 429, 500, 503]) {
    check.equal((await job("http://model.test/v1", status)) instanceof PermanentError, false, String(status));
  }
});

test("NB163 the request is bounded, and names every action as long as there is room", async () => {
  const { requests, fetch } = endpoint(says('{"name":"a0"}'));
  const actions = Array.from({ length: 200 }, (_, at): JsonObject => ({
    name: `a${at}`,
    description: "d".repeat(100),
    schema: { type: "object", title: "x".repeat(15_000) },
  }));
  const input = {
    query: "q".repeat(1_000_000),
    state: "s".repeat(1_000_000),
    actions,
    memory: Array(32).fill("m".repeat(2_048)),
  };
  await createJobs({ fetch, apiKey: undefined }).run("decide", input, SETTINGS);
  check.that(String(requests[0]?.init.body).length < 150_000);
  const content = requests[0]?.body.messages[1]?.content ?? "";
  check.that(actions.every(({ name }) => content.includes(`"${String(name)}"`)));
});

test("NB164 a job that does not exist, and an endpoint that is not configured, are failures", async () => {
  const jobs = createJobs({ fetch: endpoint().fetch, apiKey: undefined });
  await check.rejects(jobs.run("artifact", {}, SETTINGS), /no job/);
  await check.rejects(jobs.run("decide", INPUT, DEFAULTS), /no endpoint/);
  const lent = createJobs({ fetch: endpoint().fetch, apiKey: undefined }, { artifact: () => Promise.resolve("bytes") });
  check.equal(await lent.run("artifact", {}, SETTINGS), "bytes");
});

test("NB149 NB160 a model whose first answer is invalid gets the reason, and its valid answer is used", async () => {
  const { requests, fetch } = endpoint(
    () => new Response("busy", { status: 503 }),
    says('{"name":"move","data":{"to":"z9"}}'),
    says('{"name":"move","data":{"to":"a1"}}'),
  );
  const jobs = createJobs({ fetch, apiKey: undefined });
  const effects: Effect[] = [];
  let ids = 0;
  const id = (): string => String(++ids);
  const ctx: StepContext = {
    now: 0,
    random: () => 0,
    id,
    secret: id,
    emit: (effect) => effects.push(effect),
    observe: () => {},
    post: () => {},
    count: () => {},
  };
  const decider: Decider = createDecider({ ...SETTINGS["nakurity-backend"], choice_timeout: 0 }, hostOf(() => decider));
  const schema = { type: "object", properties: { to: { enum: ["a1"] } }, required: ["to"] };
  const actions = [{ name: "move", description: "Moves.", schema }];
  handleMessage(decider, { command: "actions/register", actions }, "Chess", ctx);
  const force = { query: "q", ephemeral: true, priority: "low", names: ["move"] } as const;
  handleMessage(decider, { command: "actions/force", ...force }, "Chess", ctx);
  let said = decideDue(decider, ctx);
  for (let effect = effects.pop(); said.length === 0 && effect?.do === "runJob"; effect = effects.pop()) {
    const { job } = effect;
    const ended = await jobs.run("decide", effect.input, SETTINGS).then(
      (output) => ({ output }),
      () => ({ fault: "jobLost" as const }),
    );
    said = jobFinished(decider, { is: "jobFinished", job, ...ended }, ctx);
  }
  check.that(said[0]?.command === "action");
  check.equal([said[0].name, said[0].data], ["move", '{"to":"a1"}']);
  check.match(requests[1]?.body.messages[1]?.content ?? "", /no answer/);
  check.match(requests[2]?.body.messages[1]?.content ?? "", /Instance does not match/);
});
