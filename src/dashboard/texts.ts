/**
 * Every text that the page shows, except numbers (`lib/format.ts`), what peers write, and error details of the HTTP API.
 *
 * Values of the API, such as `standalone` or `names_gone`, are identifiers and have their texts here, in tables that the compiler
 * checks for completeness. In a text, what stands between backticks is shown as code.
 */
import type { Severity } from "../core/diagnostics/catalogue.ts";
import type { FaultName } from "../core/fault.ts";
import type { ForceEnd, ResultOrigin } from "../core/observation.ts";
import type { ForceView, IntegrationView, NodeView, PendingView, RelayView, UpstreamView } from "../core/view.ts";
import { formatCount, formatLatency, formatQuantity } from "./lib/format.ts";
import type { EventStream, TokenRefusal } from "./state/dashboard-state.ts";
import type { Theme } from "./state/theme.ts";

const ordinal = (place: number): string => {
  const teen = place % 100 > 10 && place % 100 < 14;
  return `${place}${teen ? "th" : ["th", "st", "nd", "rd"][place % 10] ?? "th"}`;
};

/** An identifier that has no text of its own, in words. */
export const humanize = (identifier: string): string =>
  identifier.replaceAll("_", " ").replace(
    /([a-z])([A-Z])/g,
    (_match, last: string, first: string) => `${last} ${first.toLowerCase()}`,
  );

export const TEXTS = {
  title: {
    name: "Neuro Relay",
    disconnected: "Disconnected",
    stopped: "Stopped",
    approvals: (count: number) => `${count} to approve`,
  },
  loading: "Loading…",
  close: "Close",
  dismiss: "Dismiss",
  signedOut: "You are signed out.",
  copy: "Copy",
  copied: "Copied",
  missingScope: (scopes: readonly string[]) =>
    `Your token lacks the scope ${scopes.map((scope) => `“${scope}”`).join(" or ")}.`,

  signIn: {
    intro:
      "When the relay starts on this machine it prints the address of this page with a token in it. Open that address, or enter a token here.",
    token: "Token",
    submit: "Sign in",
    hint:
      "`web.token` sets your own token. Any Intermediary token with the scope `watch` also opens this page, and can do what its scopes allow. The token stays in this tab.",
    refusals: {
      invalid: "That token wasn't accepted.",
      not_allowed: "That token lacks the scope “watch”.",
    } satisfies Record<TokenRefusal, string>,
  },

  overlay: {
    label: "Neuro's question and last action",
    signedOut: {
      missing: "This overlay needs a token: add #token=… to its address.",
      invalid: "The token of this overlay wasn't accepted.",
      not_allowed: "The token of this overlay lacks the scope “watch”.",
    } satisfies Record<TokenRefusal | "missing", string>,
    results: { running: "running", succeeded: "succeeded", failed: "failed" },
  },

  dock: {
    label: "Stop, approvals and the current question",
  },

  header: {
    version: (version: string) => `v${version}`,
    uptime: "up",
    connection: "Connection between this page and the relay",
    streams: { connecting: "connecting", open: "live", lost: "lost", reconnecting: "reconnecting" } satisfies Record<
      EventStream["is"],
      string
    >,
    noEvents: "no live events",
    links: "Links to Neuro",
    noUpstream: "no Neuro is configured",
    since: (age: string) => `for ${age}`,
    attempt: (attempt: number) => `attempt ${attempt}`,
    heldContexts: (count: number) => `${formatQuantity(count, "context")} held`,
    approvalsOn: "Approvals on",
    approvalsOff: "Approvals off",
    turnApprovalsOff: "Approval is required for every action. Turn off",
    turnApprovalsOn: "Require approval for every action",
    stop: "Stop",
    stopLabel: "Stop everything: fail running actions and hide all actions from Neuro",
    resume: "Resume",
    resumeLabel: "Resume: show Neuro the integrations' actions again",
    stopped: "Stopped. Neuro can't use anything.",
    resumed: "Running again.",
    connect: "Connect",
    connectLabel: "Connect a game, an overlay or a program",
    watchers: "Who is watching",
    soundOn: "Sound for new questions and approvals: off. Turn on",
    soundOff: "Sound for new questions and approvals: on. Turn off",
    help: "Keyboard shortcuts",
    signOut: "Sign out",
    theme: (theme: string) => `Theme: ${theme}`,
    themes: { system: "system", dark: "dark", light: "light" } satisfies Record<Theme, string>,
  },

  troubles: {
    title: "Needs attention",
    more: (count: number) => `${formatCount(count)} more`,
    fewer: "Fewer",
    by: (name: string, age: string) => `by ${name}, ${age} ago`,
    disconnected: (age: string) =>
      `Lost the relay${age === "" ? "" : ` ${age} ago`}. This is the last known state; reconnecting automatically.`,
    requestFailed: (reason: string) => `Request failed: ${reason}`,
    no_events: "The Intermediary is off, so there are no live events. Everything else is refreshed every 5 s.",
    stopped: "Stopped. Neuro sees no actions; forces and contexts are held.",
    draining: "The relay is shutting down.",
    upstream: (name: string, state: string, age: string, attempt: number) =>
      `${name}: ${state} for ${age}${attempt > 0 ? `, attempt ${attempt}` : ""}`,
    notReady: (reason: string) => `Not ready: ${reason}`,
    approvals: (count: number, left: string) => `${formatQuantity(count, "action")} to approve, ${left} left`,
    failing: (name: string, failed: number, of: number) => `${name} fails: ${failed} of its last ${of} actions`,
    solo: (name: string) => `${name} is solo: all others are held`,
    paused: (name: string) => `${name} is paused`,
    muted: (name: string) => `${name} is muted: its contexts are dropped`,
    contextsHeld: (count: number) => `${formatQuantity(count, "context")} held`,
    deadLetters: (count: number) => formatQuantity(count, "dead letter"),
    endSolo: "End solo",
    resume: "Resume",
    unmute: "Unmute",
    pause: "Pause it",
    decide: "Decide",
    retry: "Try now",
    show: "Show",
  },

  announcements: {
    approval: (action: string, names: string) => `${names}: ${action} needs approval.`,
    force: (name: string, query: string) => `${name} asks: ${query}`,
    disconnected: "Lost the relay.",
  },

  skip: {
    now: "Skip to questions and approvals",
    integrations: "Skip to integrations",
    panel: "Skip to the panel",
  },

  views: {
    title: "Saved views",
    none: "A view is what is open, filtered and sorted now. Its address can also be shared.",
    name: "Name of this view",
    save: "Save",
    remove: (name: string) => `Remove the view ${name}`,
  },

  watchers: {
    title: "Watching",
    none: "Nobody.",
    connected: (age: string) => `connected ${age}`,
    changes: "Everything that anybody changes is in",
  },

  connect: {
    title: "Connect",
    kind: "Kind of program",
    kinds: {
      unity: {
        title: "Unity",
        how:
          "With the Neuro SDK for Unity, set the environment variable before the game starts, or the address in the SDK's settings.",
      },
      godot: { title: "Godot", how: "With the Neuro SDK for Godot, set the environment variable before the game starts." },
      python: { title: "Python", how: "Open a WebSocket to the address and send `startup`, as the Neuro API describes." },
      typescript: { title: "TypeScript", how: "Give the address to the client of the Neuro SDK for JavaScript." },
      web: { title: "Web", how: "A web page opens a WebSocket. Its origin has to be in `security.allowed_origins`." },
      intermediary: {
        title: "Intermediary",
        how: "A program that is no game sends its greeting to the address: its name, and a token of `intermediary.tokens`.",
      },
      overlay: {
        title: "Overlay",
        how:
          "Add the address as a browser source, followed by `#token`, an equals sign and a token with the scope `watch`.",
      },
    } satisfies Record<string, { readonly title: string; readonly how: string }>,
    token:
      "From another machine a token is needed: `nakurity-backend.token` for games, as the parameter `token` of the address.",
    qr: "The address as a QR code",
    waiting: "Waiting for it to connect…",
    connected: (actions: number) => `connected, ${formatQuantity(actions, "action")}`,
  },

  integrationPage: {
    back: "← All integrations",
    gone: "No such integration",
    goneMeans: "It is offline for long, or was never here.",
    operator: "operator",
    lastFailure: (message: string) => `Its last failure: ${message}`,
    history: "History",
    inFeed: "in the feed",
    noHistory: "Nothing has happened since this page was opened.",
  },

  stats: {
    title: "Statistics",
    integrations: "Integrations",
    offline: (count: number) => `${formatCount(count)} offline`,
    allConnected: "all connected",
    noneYet: "none yet",
    running: "Running",
    toApprove: (count: number) => `${count} to approve`,
    questions: (count: number) => formatQuantity(count, "open question"),
    noQuestion: "no open question",
    queued: "Queued",
    deadLetters: (count: number) => formatQuantity(count, "dead letter"),
    noDeadLetters: "no dead letters",
    actionsPerSecond: "Actions per second, mean of the last 5 s",
    eventsPerSecond: "Events per second, mean of the last 5 s",
    actionsUnit: "actions/s",
    eventsUnit: "events/s",
    chart: (unit: string) => `${unit} over the last five minutes`,
  },

  tabs: {
    title: "Panels",
    panels: {
      now: "Now",
      integrations: "Integrations",
      feed: "Feed",
      queue: "Queue",
      brain: "Brain",
      nallely: "Nallely",
      relays: "Relays",
      audit: "Audit",
      tools: "Tools",
      integration: "Integration",
    },
    details: "Details",
  },

  now: {
    title: "Now",
    quiet: "All quiet",
    quietMeans: "Open questions and actions still waiting for a result appear here.",
    openForces: "Open forces",
    waitingForces: "Queued forces",
    pending: "Running actions",
    forceOf: (name: string) => `Force of ${name}`,
    sinceAsked: "since it was requested",
    asked: (age: string) => `asked ${age} ago`,
    attempt: (attempt: number) => `${ordinal(attempt)} attempt`,
    lastFailure: (message: string) => (message === "" ? "The last action failed." : `The last action failed: ${message}`),
    approvals: "Actions to approve",
    approvalCount: (count: number) => `${formatQuantity(count, "action")} to approve`,
    approvalOf: (action: string, names: string) => `Approval of ${action} for ${names}`,
    approveAll: "Approve all",
    confirmApproveAll: (count: number) => `Approve ${count}?`,
    rejectAll: "Reject all",
    confirmRejectAll: (count: number) => `Reject ${count}?`,
    notApproved: (action: string, names: string) => `Nobody approved ${action} of ${names} in time.`,
    approved: "approved",
    noData: "without data",
    moreFields: (count: number) => `and ${formatQuantity(count, "field")} more`,
    reason: "Reason, for Neuro",
    giveReason: "With a reason…",
    edit: "Edit…",
    approveEdited: "Approve with this data",
    always: "Always allow",
    confirmAlways: "Never ask again?",
    state: "State",
    answer: "Answer",
    veto: "Veto",
    confirmVeto: "Veto it?",
    action: "Action",
    forced: "forced",
    byHand: "sent by hand",
    pendingStates: { sent: "", held: "until it's back", approval: "needs approval" } satisfies Record<
      PendingView["is"],
      string
    >,
    elapsed: (percent: number) => `${percent} % of its time has passed`,
    left: (time: string) => `${time} left`,
    approve: "Approve",
    reject: "Reject",
    forceStates: {
      waiting: "In line",
      open: "Neuro is choosing",
      settling: "Neuro answered, game is working",
      closing: "cancelling",
    } satisfies Record<ForceView["is"], string>,
    awaitsResult: "waiting for the game's result",
    inLine: (place: number) => `In line, ${ordinal(place)}`,
    heldByStop: "Held: everything is stopped",
    heldByPause: (name: string) => `Held: you paused ${name}`,
    heldBySolo: (name: string) => `Held: ${name} is solo`,
    held: "Held",
    otherCharacter: "Held: another character is active",
    integrationOffline: (name: string) => `Waiting for ${name} to reconnect`,
    neuroOffline: "Waiting for Neuro to reconnect",
    missingActions: "Waiting for its actions to be registered",
  },

  integrations: {
    title: "Integrations",
    find: "Find",
    findLabel: "Find an integration",
    more: (count: number) => `${count} more: find them by name`,
    none: "No integrations yet",
    noneMeans: "Games and other programs appear here as they connect.",
    connect: "Connect one",
    sort: "Order of the integrations",
    sortByThis: "Sort by this column",
    sortByTrouble: "Sort by trouble again",
    offline: (count: number) => `${formatCount(count)} offline`,
    columns: {
      name: "Name",
      activity: "Activity",
      actions: "Actions",
      failed: "Failed",
      mean: "Mean",
      controls: "Controls",
    },
    counts: (actions: number, contexts: number, forces: number) =>
      [formatQuantity(actions, "action"), formatQuantity(contexts, "context"), formatQuantity(forces, "force")].join(", "),
    actions: (count: number) => formatQuantity(count, "action"),
    connectedFor: (age: string) => `connected ${age}`,
    offlineFor: (age: string) => `offline ${age}`,
    perSecond: (rate: string) => `${rate} per second`,
    perSecondUnit: "/s",
    controlsOf: (name: string) => `Controls of ${name}`,
    marks: {
      failing: (count: number) => `${count} failed`,
      running: (count: number) => `${count} running`,
      paused: "paused",
      muted: "muted",
      solo: "solo",
      approval: "approval",
      offAir: "off air",
      offAirMeans: "It belongs to another character than the active one",
      hidden: "hidden",
      hiddenMeans: "Neuro does not see its actions now",
      intermediary: "intermediary",
      intermediaryMeans: "Connected to the Intermediary",
    },
    controls: {
      pause: ["Pause: hide its actions from Neuro, hold its forces and contexts", "Resume"],
      mute: ["Mute: drop its contexts", "Unmute"],
      solo: ["Solo: treat all other integrations as paused", "End solo"],
      approve: ["Require approval for each of its actions", "Stop requiring approval"],
    },
    controlWords: { pause: "Pause", mute: "Mute", solo: "Solo", approve: "Approve each" },
    details: {
      id: "ID",
      listener: "Connected via",
      listeners: { neuro: "Neuro API", intermediary: "Intermediary" } satisfies Record<IntegrationView["listener"], string>,
      upstream: "Backend",
      address: "Address",
      client: "Client",
      actions: "Actions",
      ofThem: (count: number, failed: number) => `${formatCount(count)}, ${formatCount(failed)} failed`,
      mean: "Mean time",
      contexts: "Contexts",
      forces: "Forces",
      connected: "Connected for",
      offline: "Offline for",
      unknown: "–",
      disconnect: "Disconnect",
      confirmDisconnect: "Disconnect it?",
      isOffline: "It is offline.",
      shutDown: "Shut down",
      confirmShutDown: "Shut it down?",
      shutDownNow: "Shut down now",
      confirmShutDownNow: "At once, without saving?",
      reregister: "Register again",
      clear: "Clear actions",
      confirmClear: "Clear and ask again?",
      openPage: "History and everything else on one page",
      alwaysAllowed: "Always allowed:",
      askAgain: (name: string) => `Ask for approval of ${name} again`,
      noActions: "It has registered no actions.",
      upstreamName: "Its name in Neuro's list",
      shared: "shared",
      sharedMeans: "Several integrations registered this action; Neuro sees it once",
      hidden: "hidden",
      hiddenMeans: "The policy of this integration hides it from Neuro; you can send it",
      open: "Send…",
      send: "Send",
      schema: "Schema",
    },
    diagnostics: {
      title: (count: number) => `${formatQuantity(count, "problem")} for its author`,
      severities: { error: "error", warning: "warning", info: "info" } satisfies Record<Severity, string>,
      times: (count: number) => (count === 1 ? "once" : formatQuantity(count, "time")),
      documentation: "Documentation",
    },
  },

  form: {
    takesNoData: "This action takes no data.",
    data: "Data",
    asForm: "As a form",
    asJson: "As JSON",
    done: (time: string) => `Done in ${time}`,
    failed: (time: string) => `Failed in ${time}`,
    choose: "Choose…",
    json: "JSON",
    item: (place: number) => `item ${place}`,
    removeItem: (place: number) => `Remove item ${place}`,
    add: "Add",
    optional: "optional",
    noFields: "no fields",
    true: "true",
    false: "false",
    number: "number",
    integer: "whole number",
    moreThan: (kind: string, bound: string) => `${kind}, more than ${bound}`,
    atLeast: (kind: string, bound: string) => `${kind}, at least ${bound}`,
    lessThan: (kind: string, bound: string) => `${kind}, less than ${bound}`,
    atMost: (kind: string, bound: string) => `${kind}, at most ${bound}`,
    between: (kind: string, least: string, most: string) => `${kind}, ${least} to ${most}`,
    endsExcluded: (text: string) => `${text}, ends excluded`,
    errors: {
      choose: "choose one",
      empty: "must not be empty",
      tooShort: (least: number) => `at least ${least} characters`,
      tooLong: (most: number) => `at most ${most} characters`,
      pattern: (pattern: string) => `must match ${pattern}`,
      number: "must be a number",
      integer: "must be a whole number",
      moreThan: (bound: number) => `must be more than ${bound}`,
      atLeast: (bound: number) => `must be at least ${bound}`,
      lessThan: (bound: number) => `must be less than ${bound}`,
      atMost: (bound: number) => `must be at most ${bound}`,
      multiple: (step: number) => `must be a multiple of ${step}`,
      tooFewItems: (least: number) => `Add at least ${least}`,
      tooManyItems: (most: number) => `At most ${most} allowed`,
      json: "Enter valid JSON",
      jsonInvalid: "Not valid JSON, or nested too deeply",
    },
  },

  help: {
    title: "Keyboard",
    api: "Programs can do everything that this page does:",
    apiLink: "the HTTP API",
    shortcuts: [
      ["?", "this help"],
      ["Shift S", "stop everything, or resume"],
      ["n", "next question or approval"],
      ["y  r  e", "approve, reject, edit the focused action"],
      ["w  v", "answer, veto the focused question"],
      ["j  k", "next and previous integration"],
      ["← → ↑ ↓", "within a list of rows"],
      ["Enter", "open the focused element"],
      ["x  m  o  a", "pause, mute, solo, approve the focused integration"],
      ["1 … 9", "the panels, in the order of their tabs"],
      ["/", "search the feed"],
      ["p", "pause the feed, or resume it"],
      ["c", "connect something"],
      ["t", "theme: dark, light, system"],
      ["Esc", "close"],
    ] as const,
  },

  toasts: "Notifications",

  feed: {
    rows: "Live events, newest first; arrow keys select one",
    search: "Search events",
    searchLabel: "Search the feed",
    integration: "Events of one integration",
    allIntegrations: "All integrations",
    pause: "Pause feed",
    resume: "Resume",
    resumeLabel: "Resume the feed",
    categories: "Kinds of events",
    showAll: "Show all",
    empty: "No events yet. Everything that happens on the relay appears here.",
    noMatch: "No event matches the filter.",
    paused: "Paused",
    missed: (count: number) => ` · ${formatCount(count)} new`,
    openIntegration: "Open the integration",
  },

  queue: {
    waiting: "Waiting",
    nothingWaits: "Nothing waits",
    nothingWaitsMeans: "Messages for a known integration that is offline wait here until it reconnects.",
    deadLetters: "Dead letters",
    noDeadLetters: "No dead letters",
    noDeadLettersMeans: "Messages that expired or failed too many times. Retry or drop them here.",
    more: (most: number) => `There may be more: these are the first ${most}.`,
    oldest: (age: string) => `oldest ${age}`,
    entries: (count: number) => `${formatCount(count)} waiting`,
    show: "Show",
    hide: "Hide",
    attempts: (count: number) => formatQuantity(count, "attempt"),
    expiresIn: (time: string) => `expires in ${time}`,
    ago: (age: string) => `${age} ago`,
    drop: "Drop",
    confirmDrop: "Drop it?",
    retry: "Retry",
    requeued: (name: string) => `Back in ${name}'s queue.`,
    resent: (name: string) => `Sent to ${name} again.`,
    body: "Body",
    reasons: {
      expired: "expired",
      attempts: "failed too many times",
      terminated: "rejected by its recipient",
    } satisfies Record<"expired" | "attempts" | "terminated", string>,
  },

  brain: {
    title: "Brain",
    off: "The Brain is off",
    offMeans: "`brain.enabled: true` in the configuration turns it on.",
    facts: {
      sessions: "Sessions",
      active: "In memory",
      peers: "Clients",
      damaged: "Damaged",
      covenant: "Covenant",
      stored: "Stored",
      artifact: "Artifact",
    },
    of: (count: number, most: number) => `${formatCount(count)} of ${formatCount(most)}`,
    yes: "yes",
    no: "no",
    none: "none",
    noPrediction: (artifact: string) => `${artifact} (does not predict)`,
    noSessions: "No sessions",
    noSessionsMeans: "A client creates one with `CreateSession`; the 100 last used are listed.",
    events: (count: number) => formatQuantity(count, "event"),
    keys: (count: number) => formatQuantity(count, "key"),
    evicted: "on disk",
    sealed: "sealed",
    followers: (count: number) => formatQuantity(count, "follower"),
    ago: (age: string) => `${age} ago`,
  },

  nallely: {
    title: "Nallely",
    off: "No Nallely session",
    offMeans: "`nallely.enabled: true` connects the relay as a neuron to the session at `nallely.url`.",
    open: "in the session",
    outputs: "Outputs",
    inputs: "Inputs",
    noValues: "no values yet",
    history: (name: string) => `the last values of ${name}`,
  },

  relays: {
    title: "Relays",
    switchRelay: "Show all relays",
    states: { running: "running", stopped: "stopped" } satisfies Record<RelayView["state"], string>,
    thisPage: "this page",
    at: (node: string) => `at node ${node}`,
    starts: (time: string) => `starts in ${time}`,
    more: (count: number) => `The first ${count} are listed.`,
    nodes: "Nodes",
    noNodes: "No cluster",
    noNodesMeans: "Several machines can run the same relays. See `cluster.enabled`.",
    notReachable: "not reachable",
    answers: "runs this relay",
    owns: (count: number) => count === 1 ? "1 relay" : `${formatCount(count)} relays`,
    beat: (age: string) => `last beat ${age} ago`,
    noBeat: "no beat yet",
  },

  audit: {
    title: "Audit",
    none: "No operator actions yet",
    noneMeans: "Everything done here, by API or by a watcher is logged with its token's name.",
  },

  tools: {
    session: "This page",
    soundOn: "Sound is on",
    soundOff: "Sound is off",
    all: {
      title: "All integrations",
      about: "Asks every connected integration. One that doesn't answer a shutdown in time is disconnected.",
      shutDown: "Shut down",
      confirmShutDown: "Shut all down?",
      shutDownNow: "Shut down now",
      confirmShutDownNow: "All at once, without saving?",
      cancel: "Cancel the shutdown",
      clear: "Clear actions",
      confirmClear: "Clear all and ask again?",
      reregister: "Register again",
    },
    to: "To",
    context: {
      title: "Tell Neuro",
      about: "Gives Neuro a context message.",
      label: "Context",
      example: "Chat is asking for a song.",
      silent: "Silent: don't prompt her to reply",
      submit: "Tell",
      empty: "Enter a message.",
      done: "Neuro was told.",
    },
    raw: {
      title: "Raw message",
      about: "Sent verbatim, as if Neuro (or the relay) had said it.",
      neuro: (id: string) => `Neuro (${id})`,
      label: "Message",
      example: `{"command":"action","data":{"id":"1","name":"move","data":"{}"}}`,
      submit: "Inject",
      notJson: "This is not valid JSON.",
      done: "Raw message sent.",
    },
    command: {
      title: "Command",
      about:
        "Sends a command to an Intermediary integration. If it is offline, the command is queued. `*` addresses all that are connected.",
      toExample: "jukebox",
      label: "Command",
      example: `{"action":"skip"}`,
      submit: "Send",
      notJson: "The command is not valid JSON.",
      noRecipient: "Enter the name of an integration.",
      game: (name: string) => `${name} is a game. Commands go to Intermediary integrations; use “Send action”.`,
      sent: (name: string) => `Sent to ${name}.`,
      sentToAll: (count: number) => `Sent to ${formatQuantity(count, "integration")}.`,
      queued: (name: string) => `Queued: ${name} is offline.`,
    },
  },
} as const;

/** The lease of a node of the cluster. */
export const NODE_LEASES: Readonly<Record<NodeView["lease"], string>> = {
  joining: "joining",
  holding: "in the cluster",
  suspended: "suspended",
  stopping: "stopping",
  silent: "silent",
};

/** How a link to Neuro stands. */
export const UPSTREAM_STATES: Readonly<Record<UpstreamView["state"], string>> = {
  open: "connected",
  dialing: "connecting",
  waiting: "disconnected",
  standalone: "relay decides",
};

/** In place of the state of an upstream `link:<name>` while no program is linked. */
export const AWAITS_LINK = "waiting for a link";

/** Why a force ended. */
export const FORCE_ENDS: Readonly<Record<ForceEnd, string>> = {
  completed: "completed",
  replaced: "replaced by a newer force",
  names_gone: "its actions were unregistered",
  game_gone: "the game disconnected",
  expired: "Neuro did not answer in time",
  given_up: "Neuro stopped trying after failures",
  preempted: "made way for a critical force, to be asked again",
  refused: "too many forces were waiting",
  cancelled: "cancelled",
  held: "held, to be asked again",
};

/** The sender of a result that is not from the integration, and the reason. */
export const RESULT_ORIGINS: Readonly<Record<ResultOrigin, (ms: number, isSuccess: boolean) => string>> = {
  game: () => "",
  deadline: (ms) => `relay answered: no reply in ${formatLatency(ms)}`,
  gone: () => "relay answered: the game disconnected",
  unknown: () => "relay answered: no such action",
  relay: () => "relay answered",
  operator: (_ms, isSuccess) => (isSuccess ? "answered by an operator" : "rejected by an operator"),
};

/** The result of an operator's action. */
export const OUTCOMES: Readonly<Record<FaultName, string>> = {
  done: "done",
  leaving: "the relay was shutting down",
  badFrame: "unreadable",
  rateLimit: "too many requests",
  tooBig: "too large",
  panic: "internal error",
  restarting: "the relay was restarting",
  tooManyPeers: "too many connections",
  backendAway: "backend unreachable",
  slowGame: "the game reads too slowly",
  badGreeting: "invalid registration",
  badToken: "invalid token",
  notAllowed: "not allowed",
  noGreeting: "no registration in time",
  nameTaken: "name taken over",
  slowPeer: "the client reads too slowly",
  badMessage: "invalid message",
  notFound: "not found",
  notNow: "not possible at that time",
  queueFull: "queue full",
  storageFailed: "storage failed",
  jobLost: "interrupted",
};

/** The actions of operators. `{}` stands for the target. */
const OPERATOR_ACTIONS: ReadonlyMap<string, string> = new Map([
  ["stop", "stopped everything"],
  ["start", "resumed everything"],
  ["pause", "paused {}"],
  ["resume", "resumed {}"],
  ["mute", "muted {}"],
  ["unmute", "unmuted {}"],
  ["solo", "made {} solo"],
  ["unsolo", "ended the solo of {}"],
  ["require_approval", "turned approvals on for {}"],
  ["waive_approval", "turned approvals off for {}"],
  ["answer", "answered a force: {}"],
  ["veto", "vetoed a force of {}"],
  ["approve", "approved {}"],
  ["approve_edited", "approved with other data: {}"],
  ["allow_always", "always allows {}"],
  ["introduce", "sent Neuro's session again to {}"],
  ["behave", "changed how Neuro is played: {}"],
  ["allow_none", "ended what was always allowed of {}"],
  ["reject", "rejected {}"],
  ["act", "sent an action: {}"],
  ["context", "gave context to {}"],
  ["inject", "sent a raw message to {}"],
  ["disconnect", "disconnected {}"],
  ["shut_down", "asked {} to shut down"],
  ["shut_down_now", "asked {} to shut down at once"],
  ["cancel_shutdown", "cancelled the shutdown of {}"],
  ["reregister", "asked {} to register again"],
  ["clear", "cleared the actions of {}"],
  ["revoke_token", "revoked the token {}"],
  ["send", "sent a command to {}"],
  ["command", "sent a command to {}"],
  ["direct", "sent a direct message to {}"],
  ["choice", "asked Neuro to choose for {}"],
  ["drop", "deleted a message for {}"],
  ["retry", "retried a dead letter for {}"],
]);

const EVERYTHING = "all";

/** The action of an operator, as the words before and after its target. */
export function operatorAction(action: string, target: string): readonly [before: string, target: string, after: string] {
  const isForAll = target === EVERYTHING;
  const sentence = OPERATOR_ACTIONS.get(action) ?? `${humanize(action)} {}`;
  const [before = "", after = ""] = sentence.split("{}");
  if (!sentence.includes("{}")) return [sentence, "", ""];
  if (isForAll && action.endsWith("_approval")) return [before.replace(/ for $/, ""), "", ""];
  return [before, isForAll ? "everything" : target, after];
}

/** The same in one line. */
export const operatorActionText = (action: string, target: string): string => operatorAction(action, target).join("");

/** The kinds of events, as the feed's filter names them. */
export const EVENT_CATEGORIES = {
  actions: "Actions",
  forces: "Forces",
  context: "Context",
  messages: "Messages",
  connections: "Connections",
  neuro: "Neuro",
  nallely: "Nallely",
  problems: "Problems",
  raw: "Raw",
} as const;

export const EVENT_TEXTS = {
  labels: {
    action_sent: "action",
    approval_wanted: "needs approval",
    action_result: "result",
    action_expired: "expired",
    integration_registered_actions: "registered",
    force_opened: "force",
    force_ended: "force ended",
    choose_action: "choice",
    add_context: "context",
    context_dropped: "context dropped",
    trace_ended: "trace",
    backend_message: "from Neuro",
    integration_message: "message",
    binary_received: "file",
    message_queued: "queued",
    message_delivered: "delivered",
    message_dead: "dead letter",
    integration_connected: "joined",
    integration_disconnected: "left",
    integration_connected_via_backend: "game joined",
    integration_disconnected_via_backend: "game left",
    neuroos_connected: "watcher joined",
    neuroos_disconnected: "watcher left",
    operator_acted: "operator",
    upstream_connected: "Neuro connected",
    upstream_lost: "Neuro lost",
    diagnostic: "diagnostic",
    input_repaired: "problem",
    input_refused: "refused",
    writes_suspended: "store fails",
    writes_resumed: "store works",
    peer_closed_by_relay: "closed",
    gap: "gap",
    nallely_connected: "session",
    nallely_lost: "session lost",
    nallely_drifted: "drift",
    nallely_input: "input",
    nallely_output: "output",
  },
  forced: "(forced)",
  after: (time: string) => `(after ${time})`,
  muted: "(muted)",
  waiting: (count: number) => `${count} waiting`,
  acknowledged: "acknowledged",
  privileges: (privileges: string) => `${privileges} rights`,
  retryIn: (time: string) => `retry in ${time}`,
  noRetry: "no retry: correct the URL in the settings",
  diagnosed: (severity: string, hint: string, count: number) =>
    `${severity}: ${hint}${count === 1 ? "" : ` (${formatQuantity(count, "time")})`}`,
  workedAround: (problem: string) => `protocol problem, worked around: ${problem}`,
  missing: (count: number) => `${formatQuantity(count, "event")} missing here`,
  someMissing: "events are missing here",
  writesSuspended: (service: string) => `${service} does not store what it can do without`,
  writesResumed: (service: string) => `${service} stores everything again`,
} as const;

/** The text of an identifier; one that is not in the table is written in words. */
export const textOf = (table: Readonly<Record<string, string>>, identifier: string): string =>
  Object.hasOwn(table, identifier) ? table[identifier] ?? "" : humanize(identifier);

export const outcomeText = (outcome: string): string => textOf(OUTCOMES, outcome);

export const deadLetterReason = (reason: string): string => textOf(TEXTS.queue.reasons, reason);
