/**
 * Closed unions are closed: a new member does not compile until every place handles it. Each case adds one member to a copy of the
 * sources, and names the files in which the compiler then has to report an error.
 */
import { test } from "#runner";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "../harness/check.ts";
import { ROOT, toolPath } from "../harness/machine.ts";

interface Case {
  readonly adds: string;
  readonly file: string;
  /** The text after which the member is inserted. */
  readonly after: string;
  readonly member: string;
  /** Files that must not compile any more. */
  readonly breaks: readonly string[];
  readonly project?: "src" | "src/tsconfig.edges.json" | "src/dashboard";
}

const SERVICES = ["intermediary", "neuro", "nallely", "brain", "proxy"].map((name) => `src/services/${name}/`);

const CASES: readonly Case[] = [
  {
    adds: "an effect",
    file: "src/core/effect.ts",
    after: "export type Effect =",
    member: '| { readonly do: "newEffect" }',
    breaks: ["src/engine/engine.ts", "src/relay/routing.ts"],
  },
  {
    adds: "an event of a peer",
    file: "src/core/event.ts",
    after: "export type PeerEvent =",
    member: '| { readonly is: "newPeerEvent"; readonly peer: PeerId }',
    breaks: ["src/engine/engine.ts", "src/relay/mod.ts", ...SERVICES],
  },
  {
    adds: "an event of the lifecycle",
    file: "src/core/event.ts",
    after: "export type LifecycleEvent =",
    member: '| { readonly is: "newLifecycleEvent" }',
    breaks: ["src/engine/engine.ts", "src/relay/mod.ts", ...SERVICES],
  },
  {
    adds: "an event that names its service",
    file: "src/core/event.ts",
    after: "export type StoreEvent =",
    member: '| { readonly is: "newStoreEvent"; readonly key: Key }',
    breaks: ["src/engine/engine.ts", "src/relay/mod.ts", "src/relay/routing.ts", ...SERVICES],
  },
  {
    adds: "a message between services",
    file: "src/core/service-message.ts",
    after: "export type ServiceMessage =",
    member: '| { readonly is: "newServiceMessage" }',
    breaks: ["src/services/intermediary/", "src/services/neuro/"],
  },
  {
    adds: "a timer of the Neuro service",
    file: "src/services/neuro/state.ts",
    after: "export type Timer =",
    member: '| { readonly is: "newNeuroTimer" }',
    breaks: ["src/services/neuro/"],
  },
  {
    adds: "a timer of the Brain service",
    file: "src/services/brain/state.ts",
    after: "export type BrainTimer =",
    member: '| { readonly is: "newBrainTimer" }',
    breaks: ["src/services/brain/"],
  },
  {
    adds: "a timer of the Intermediary service",
    file: "src/services/intermediary/timers.ts",
    after: "export type PeerTimer =",
    member: '| { readonly is: "newPeerTimer"; readonly peer: PeerId }',
    breaks: ["src/services/intermediary/"],
  },
  {
    adds: "a service",
    file: "src/core/service.ts",
    after: "export type ServiceName =",
    member: '"newService" |',
    breaks: ["src/core/service.ts"],
  },
  {
    adds: "a service, seen by the relay",
    file: "src/core/service.ts",
    after: "export type ServiceName =",
    member: '"newService" |',
    breaks: ["src/relay/services.ts"],
    project: "src/tsconfig.edges.json",
  },
  {
    adds: "a query",
    file: "src/core/request.ts",
    after: "readonly neuro: CommonQueries<NeuroView> & {",
    member: "readonly newQuery: RequestType<NoParams, Done>;",
    breaks: ["src/services/neuro/operator/requests.ts"],
  },
  {
    adds: "a command",
    file: "src/core/request.ts",
    after: "  readonly neuro: {",
    member: "readonly newCommand: RequestType<NoParams, Done>;",
    breaks: ["src/services/neuro/operator/requests.ts"],
  },
  {
    adds: "an observation",
    file: "src/core/observation.ts",
    after: "export type PresenceObservation =",
    member: '| { readonly is: "newObservation" }',
    breaks: ["src/observability/log-messages.ts"],
    project: "src/tsconfig.edges.json",
  },
  {
    adds: "a fault",
    file: "src/core/fault.ts",
    after: "export type FaultName =",
    member: '| "newFault"',
    breaks: ["src/core/fault.ts"],
  },
];

/** What the compiler reports on a copy of the sources in which the members were added. */
function errorsWith(cases: readonly Case[], project: string): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), "closed-"));
  try {
    for (const copied of ["src", "mod.ts", "package.json"]) {
      cpSync(join(ROOT, copied), join(root, copied), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
    for (const { file, after, member } of cases) {
      const text = readFileSync(join(root, file), "utf8");
      const at = text.indexOf(after);
      check.that(at >= 0, `${file} does not contain "${after}"`);
      writeFileSync(join(root, file), `${text.slice(0, at + after.length)} ${member}${text.slice(at + after.length)}`);
    }
    return spawnSync(toolPath("tsc"), ["-p", project], { cwd: root, encoding: "utf8" }).stdout.split(/\n(?=\S)/);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

// Why in one copy: each member has a name of its own, which the compiler repeats in its errors. A new service breaks the tables from which
// the unions are derived, so it gets a copy of its own.
const project = ({ project = "src" }: Case): string => project;
const isService = ({ adds }: Case): boolean => adds.startsWith("a service");
for (const group of Map.groupBy(CASES, (one) => `${project(one)} ${isService(one)}`).values()) {
  const errors = errorsWith(group, project(group[0] as Case));
  for (const one of group) {
    test(`closed unions: ${one.adds} does not compile until it is handled`, () => {
      const name = /"?(new\w+)"?/.exec(one.member)?.[1] ?? "";
      const broken = one.breaks.filter((path) => errors.some((error) => error.startsWith(path) && error.includes(name)));
      check.equal(broken, one.breaks, errors.join("\n").slice(0, 4_000));
    });
  }
}
