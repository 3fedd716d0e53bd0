/** What one needs while something is built or mended: words to Neuro, raw messages either way, commands. */
import { type Child, useRef, useState } from "hono/jsx/dom";
import { isObject, type Json, type JsonObject, parseJson } from "../../core/json.ts";
import { inPath } from "../../clients/api.ts";
import { sendCommand, showToast, signOut } from "../state/relay.ts";
import { useMissingScope, useStore } from "../state/store.ts";
import { sanitize } from "../lib/sanitize.ts";
import { Button } from "../components/primitives.tsx";

const DEPTH_MAX = 64;

export function Tools() {
  return (
    <div class="scrolls tools">
      <ContextForm />
      <RawMessageForm />
      <CommandForm />
      <section class="tool narrow-only" aria-label="Session">
        <Button icon="leave" onPress={() => signOut()}>Sign out</Button>
      </section>
    </div>
  );
}

interface ToolProps {
  readonly title: string;
  readonly text: string;
  readonly name: string;
  readonly verb: string;
  readonly disabledReason: string | undefined;
  readonly children: Child;
  send(values: FormData): Promise<string | undefined>;
}

/** A small form of its own; `send` returns what is wrong with it. */
function Tool({ title, text, name, verb, disabledReason, children, send }: ToolProps) {
  const [wrong, blame] = useState("");
  const form = useRef<HTMLFormElement | null>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (form.current === null) return;
    blame(disabledReason ?? await send(new FormData(form.current)) ?? "");
  };
  return (
    <section class="tool" aria-labelledby={`${name}-title`}>
      <h2 id={`${name}-title`} class="panel-title">{title}</h2>
      <form ref={form} class="tool-form" data-name={name} noValidate onSubmit={(event: Event) => void submit(event)}>
        <p class="soft small">{text}</p>
        {children}
        <p class={wrong === "" ? "flaw none" : "flaw"} role="alert">{sanitize(wrong, 300)}</p>
        <button
          type="submit"
          class="button main"
          title={disabledReason}
          aria-disabled={disabledReason === undefined ? undefined : "true"}
        >
          <span class="button-text">{verb}</span>
        </button>
      </form>
    </section>
  );
}

async function post(path: string, body: JsonObject, done: string): Promise<string | undefined> {
  const sent = await sendCommand<Json>("POST", path, body);
  if ("error" in sent) return sent.error;
  const status = isObject(sent.body) && typeof sent.body["status"] === "string" ? ` (${sent.body["status"]})` : "";
  showToast("good", `${done}${status}.`);
  return undefined;
}

const field = (values: FormData, name: string): string => String(values.get(name) ?? "");

function UpstreamSelect() {
  const upstreams = useStore((state) => state.overview?.services.neuro?.upstreams) ?? [];
  return (
    <label class={upstreams.length < 2 ? "field none" : "field"}>
      <span class="field-label">To</span>
      <select name="upstream">
        {upstreams.map(({ id, character }) => <option key={id} value={id}>{sanitize(character ?? id, 60)}</option>)}
      </select>
    </label>
  );
}

function ContextForm() {
  const why = useMissingScope("direct", "admin");
  const send = (values: FormData): Promise<string | undefined> => {
    const message = field(values, "message");
    if (message.trim() === "") return Promise.resolve("Say something.");
    const path = `upstreams/${inPath(field(values, "upstream"))}/contexts`;
    return post(path, { message, silent: values.get("silent") !== null }, "Told Neuro");
  };
  return (
    <Tool
      name="context"
      title="Tell Neuro"
      text="Puts a context before Neuro, as an integration would."
      verb="Tell"
      disabledReason={why}
      send={send}
    >
      <UpstreamSelect />
      <label class="field">
        <span class="field-label">Context</span>
        <textarea name="message" rows={3} placeholder="Chat is asking for a song." />
      </label>
      <label class="switch">
        <input type="checkbox" name="silent" checked />
        <span>silent: she need not answer</span>
      </label>
    </Tool>
  );
}

const SAMPLE = `{"command":"action","data":{"id":"1","name":"move","data":"{}"}}`;

function RawMessageForm() {
  const integrations = useStore((state) => state.integrations) ?? [];
  const upstreams = useStore((state) => state.overview?.services.neuro?.upstreams) ?? [];
  const why = useMissingScope("admin");
  const send = (values: FormData): Promise<string | undefined> => {
    const message = parseJson(field(values, "message"), DEPTH_MAX);
    if (message === undefined) return Promise.resolve("This is not JSON.");
    const [kind, ...rest] = field(values, "to").split(":");
    const path = `${kind === "up" ? "upstreams" : "integrations"}/${inPath(rest.join(":"))}/messages`;
    return post(path, { message }, "Sent as it is");
  };
  return (
    <Tool
      name="raw"
      title="Raw message"
      text="Goes out as it is: to an integration as from Neuro, or to Neuro as from the relay."
      verb="Inject"
      disabledReason={why}
      send={send}
    >
      <label class="field">
        <span class="field-label">To</span>
        <select name="to">
          {integrations.map(({ id, name }) => <option key={id} value={`in:${id}`}>{sanitize(name, 60)}</option>)}
          {upstreams.map(({ id }) => <option key={`up:${id}`} value={`up:${id}`}>{`Neuro (${sanitize(id, 40)})`}</option>)}
        </select>
      </label>
      <label class="field">
        <span class="field-label">Message</span>
        <textarea name="message" class="code" rows={4} spellcheck={false} placeholder={SAMPLE} />
      </label>
    </Tool>
  );
}

function CommandForm() {
  const why = useMissingScope("command");
  const send = (values: FormData): Promise<string | undefined> => {
    const cmd = parseJson(field(values, "cmd"), DEPTH_MAX);
    if (cmd === undefined) return Promise.resolve("The command is not JSON.");
    const to = field(values, "to").trim();
    return to === "" ? Promise.resolve("To whom?") : post("messages", { to, cmd }, "The command is on its way");
  };
  return (
    <Tool
      name="command"
      title="Command"
      text="What a watcher sends to an integration of the Intermediary; it waits in the queue for one that is away. * means all that are here."
      verb="Send"
      disabledReason={why}
      send={send}
    >
      <label class="field">
        <span class="field-label">To</span>
        <input type="text" name="to" autocomplete="off" placeholder="jukebox" />
      </label>
      <label class="field">
        <span class="field-label">Command</span>
        <textarea name="cmd" class="code" rows={3} spellcheck={false} placeholder={`{"action":"skip"}`} />
      </label>
    </Tool>
  );
}
