/** Forms for development and repair: a context for Neuro, raw messages in both directions, and commands. */
import { pathSegment } from "../../clients/api-client.ts";
import { type JsonObject, parseJson } from "../../core/json.ts";
import type { SendOutcome } from "../../core/view.ts";
import { BehaviourControl } from "../components/behaviour-control.tsx";
import { Button, ConfirmButton } from "../components/primitives.tsx";
import { Tool, valueOf } from "../components/tool.tsx";
import { sanitize } from "../lib/sanitize.ts";
import { upstreamsOf } from "../state/dashboard-state.ts";
import { store, useMissingScope, useStore } from "../state/hooks.ts";
import { TEXTS } from "../texts.ts";

const TEXT = TEXTS.tools;
const DEPTH_MAX = 64;
const NAME_MAX = 60;
/** The recipient of a command that goes to all. */
const ALL = "*";

export function Tools() {
  const hasSound = useStore((state) => state.hasSound);
  const theme = useStore((state) => state.theme);
  return (
    <div class="scrolls tools">
      <ContextForm />
      <RawMessageForm />
      <CommandForm />
      <AllIntegrations />
      <section class="tool narrow-only session" aria-label={TEXT.session}>
        <Button icon="plug" onPress={() => store.openDialog("connect")}>{TEXTS.header.connect}</Button>
        <Button icon="eye" onPress={() => store.openDialog("watchers")}>{TEXTS.header.watchers}</Button>
        <Button icon="sound" onPress={() => store.switchSound()}>{hasSound ? TEXT.soundOn : TEXT.soundOff}</Button>
        <Button icon="half" onPress={() => store.switchTheme()}>{TEXTS.header.theme(TEXTS.header.themes[theme])}</Button>
        <Button icon="leave" onPress={() => store.signOut()}>{TEXTS.header.signOut}</Button>
      </section>
    </div>
  );
}

/** Requests to every connected integration. */
function AllIntegrations() {
  const disabledReason = useMissingScope("admin");
  const behaviour = useStore(({ overview }) => overview?.services.neuro?.controls.behaviour ?? null);
  const ask = (how: "graceful" | "immediate" | "cancel") => store.send("POST", "shutdown", { how });
  return (
    <section class="tool" aria-labelledby="all-title">
      <h2 id="all-title" class="panel-title">{TEXT.all.title}</h2>
      <BehaviourControl path="controls" value={behaviour} configured={TEXTS.behaviour.asConfigured} />
      <p class="soft small">{TEXT.all.about}</p>
      <div class="force-buttons">
        <ConfirmButton
          name="shutdown-all"
          disabledReason={disabledReason}
          confirmText={TEXT.all.confirmShutDown}
          onPress={() => ask("graceful")}
        >
          {TEXT.all.shutDown}
        </ConfirmButton>
        <ConfirmButton
          name="shutdown-all-now"
          disabledReason={disabledReason}
          confirmText={TEXT.all.confirmShutDownNow}
          onPress={() => ask("immediate")}
        >
          {TEXT.all.shutDownNow}
        </ConfirmButton>
        <Button name="cancel-shutdown" disabledReason={disabledReason} onPress={() => ask("cancel")}>
          {TEXT.all.cancel}
        </Button>
        <Button
          name="reregister-all"
          disabledReason={disabledReason}
          onPress={() => store.send("POST", "reregistration", {})}
        >
          {TEXT.all.reregister}
        </Button>
        <ConfirmButton
          name="clear-all"
          disabledReason={disabledReason}
          confirmText={TEXT.all.confirmClear}
          onPress={() => store.send("POST", "reregistration", { clear: true })}
        >
          {TEXT.all.clear}
        </ConfirmButton>
      </div>
    </section>
  );
}

/** Posts `body` and shows what came of it as a toast. Returns the error, if there is one. */
async function post(path: string, body: JsonObject, doneText: (sent: SendOutcome) => string): Promise<string | undefined> {
  const outcome = await store.send<SendOutcome>("POST", path, body);
  if (!outcome.ok) return outcome.error;
  store.showToast("good", doneText(outcome.body));
  return undefined;
}

function ContextForm() {
  const upstreams = useStore(upstreamsOf);
  const missingScope = useMissingScope("direct", "admin");
  const send = async (values: FormData): Promise<string | undefined> => {
    const message = valueOf(values, "message");
    if (message.trim() === "") return TEXT.context.empty;
    const path = `upstreams/${pathSegment(valueOf(values, "upstream"))}/contexts`;
    return await post(path, { message, silent: values.get("silent") !== null }, () => TEXT.context.done);
  };
  return (
    <Tool name="context" texts={TEXT.context} disabledReason={missingScope} send={send}>
      <label class={upstreams.length < 2 ? "field hidden" : "field"}>
        <span class="field-label">{TEXT.to}</span>
        <select name="upstream">
          {upstreams.map(({ id, character }) => <option key={id} value={id}>{sanitize(character ?? id, NAME_MAX)}</option>)}
        </select>
      </label>
      <label class="field">
        <span class="field-label">{TEXT.context.label}</span>
        <textarea name="message" rows={3} placeholder={TEXT.context.example} />
      </label>
      <label class="switch">
        <input type="checkbox" name="silent" checked />
        <span>{TEXT.context.silent}</span>
      </label>
    </Tool>
  );
}

function RawMessageForm() {
  const integrations = useStore((state) => state.integrations) ?? [];
  const upstreams = useStore(upstreamsOf);
  const missingScope = useMissingScope("admin");
  const send = async (values: FormData): Promise<string | undefined> => {
    const message = parseJson(valueOf(values, "message"), DEPTH_MAX);
    if (message === undefined) return TEXT.raw.notJson;
    return await post(`${valueOf(values, "to")}/messages`, { message }, () => TEXT.raw.done);
  };
  return (
    <Tool name="raw" texts={TEXT.raw} disabledReason={missingScope} send={send}>
      <label class="field">
        <span class="field-label">{TEXT.to}</span>
        <select name="to">
          {integrations.map(({ id, name }) => (
            <option key={id} value={`integrations/${pathSegment(id)}`}>{sanitize(name, NAME_MAX)}</option>
          ))}
          {upstreams.map(({ id }) => (
            <option key={`up:${id}`} value={`upstreams/${pathSegment(id)}`}>
              {TEXT.raw.neuro(sanitize(id, NAME_MAX))}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="field-label">{TEXT.raw.label}</span>
        <textarea name="message" class="code" rows={4} spellcheck={false} placeholder={TEXT.raw.example} />
      </label>
    </Tool>
  );
}

function CommandForm() {
  const missingScope = useMissingScope("command");
  const send = async (values: FormData): Promise<string | undefined> => {
    const cmd = parseJson(valueOf(values, "cmd"), DEPTH_MAX);
    if (cmd === undefined) return TEXT.command.notJson;
    const to = valueOf(values, "to").trim();
    if (to === "") return TEXT.command.noRecipient;
    if (isOnlyGame(to)) return TEXT.command.game(to);
    return await post("messages", { to, cmd }, (sent) => sentText(to, sent));
  };
  return (
    <Tool name="command" texts={TEXT.command} disabledReason={missingScope} send={send}>
      <label class="field">
        <span class="field-label">{TEXT.to}</span>
        <input type="text" name="to" autocomplete="off" placeholder={TEXT.command.toExample} />
      </label>
      <label class="field">
        <span class="field-label">{TEXT.command.label}</span>
        <textarea name="cmd" class="code" rows={3} spellcheck={false} placeholder={TEXT.command.example} />
      </label>
    </Tool>
  );
}

function sentText(to: string, { status, count }: SendOutcome): string {
  const name = sanitize(to, NAME_MAX);
  if (to === ALL) return TEXT.command.sentToAll(count ?? 0);
  return status === "queued" ? TEXT.command.queued(name) : TEXT.command.sent(name);
}

/** True for a game, unless an Intermediary integration has the same name. */
function isOnlyGame(to: string): boolean {
  const listeners = (store.state.integrations ?? [])
    .filter(({ id, name }) => name === to || id === to)
    .map(({ listener }) => listener);
  return listeners.length > 0 && listeners.every((listener) => listener === "neuro");
}
