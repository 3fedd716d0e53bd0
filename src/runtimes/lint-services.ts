/** The services of a relay that checks an integration: who is connected, and what there is to report. */
import type { ServiceEvent } from "../core/event.ts";
import { toRequestId } from "../core/ids.ts";
import type { Observation } from "../core/observation.ts";
import type { Query } from "../core/request.ts";
import type { Settings } from "../core/settings.ts";
import type { StepContext } from "../core/context.ts";
import { type DiagnosticView, type Page, PAGE_LENGTH_MAX } from "../core/view.ts";
import type { SupervisedService } from "../relay/mod.ts";
import { services } from "../relay/services.ts";

export interface LintServices {
  readonly services: readonly SupervisedService[];
  /** Resolves when an integration was connected, and none is connected any more. */
  readonly left: Promise<void>;
  /** The names of all integrations that were connected, in order. */
  integrations(): readonly string[];
  /** All diagnostics so far. Call this before the relay is drained. */
  diagnostics(): readonly DiagnosticView[];
}

/** The services that the settings ask for, with access to their observations. */
export function lintServices(settings: Settings): LintServices {
  const inner = services(settings);
  const seen = new Set<string>();
  const connected = new Set<string>();
  const { promise: left, resolve } = Promise.withResolvers<void>();
  let clock: StepContext | undefined;
  const note = (observation: Observation): void => {
    switch (observation.is) {
      case "integration_connected":
      case "integration_connected_via_backend":
        seen.add(observation.name);
        connected.add(observation.name);
        return;
      case "integration_disconnected":
      case "integration_disconnected_via_backend":
        if (connected.delete(observation.name) && connected.size === 0) resolve();
        return;
      default:
        // Why not `assertNever`: no other observation is about who is connected.
        return;
    }
  };
  const observed = (service: SupervisedService): SupervisedService => ({
    ...service,
    step(event: ServiceEvent, ctx: StepContext): boolean {
      clock = ctx;
      return service.step(event, observing(ctx, note));
    },
  });
  const neuro = inner.find(({ name }) => name === "neuro");
  return {
    services: inner.map(observed),
    left,
    integrations: () => [...seen],
    diagnostics: () => neuro === undefined || clock === undefined ? [] : diagnosticsOf(neuro, clock),
  };
}

/** The same context, with its observations noted. */
const observing = (ctx: StepContext, note: (observation: Observation) => void): StepContext => ({
  now: ctx.now,
  random: () => ctx.random(),
  id: () => ctx.id(),
  secret: () => ctx.secret(),
  post: (service, message) => ctx.post(service, message),
  count: (who, way, kind) => ctx.count(who, way, kind),
  emit: (effect) => ctx.emit(effect),
  observe(observation) {
    note(observation);
    ctx.observe(observation);
  },
});

/** Asks the service itself, between two of its steps: a query changes nothing. */
function diagnosticsOf(neuro: SupervisedService, clock: StepContext): readonly DiagnosticView[] {
  const found: DiagnosticView[] = [];
  let after: string | null | undefined;
  while (after !== null) {
    const request: Query = {
      of: "neuro",
      get: "diagnostics",
      limit: PAGE_LENGTH_MAX,
      ...(after !== undefined && { after }),
    };
    const { items, next } = reply(neuro, request, clock);
    found.push(...items);
    after = next;
  }
  return found;
}

function reply(neuro: SupervisedService, request: Query, clock: StepContext): Page<DiagnosticView> {
  let page: Page<DiagnosticView> = { items: [], next: null };
  const event: ServiceEvent = {
    is: "requested",
    requestId: toRequestId("lint"),
    principal: { by: "lint", scopes: ["watch"] },
    request,
  };
  neuro.step(event, {
    ...observing(clock, () => {}),
    emit(effect) {
      // Why the cast: a reply is any JSON, and the table of requests says which.
      if (effect.do === "respond" && "body" in effect) page = effect.body as unknown as Page<DiagnosticView>;
    },
    post() {},
    observe() {},
  });
  return page;
}
