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
    member: '| { readonly do: "somethingNew" }',
    breaks: ["src/engine/engine.ts", "src/relay/routing.ts"],
  },
  {
    adds: "an event of a peer",
    file: "src/core/event.ts",
    after: "export type PeerEvent =",
    member: '| { readonly is: "somethingNew"; readonly peer: PeerId }',
    breaks: ["src/engine/engine.ts", "src/relay/mod.ts", ...SERVICES],
  },
  {
    adds: "an event of the lifecycle",
    file: "src/core/event.ts",
    after: "export type LifecycleEvent =",
    member: '| { readonly is: "somethingNew" }',
    breaks: ["src/engine/engine.ts", "src/relay/mod.ts", ...SERVICES],
  },
  {
    adds: "an event that names its service",
    file: "src/core/event.ts",
    after: "export type StoreEvent =",
    member: '| { readonly is: "somethingNew"; readonly key: Key }',
    breaks: ["src/engine/engine.ts", "src/relay/mod.ts", "src/relay/routing.ts", ...SERVICES],
  },
  {
    adds: "a message between services",
    file: "src/core/service-message.ts",
    after: "export type ServiceMessage =",
    member: '| { readonly is: "somethingNew" }',
    breaks: ["src/services/intermediary/", "src/services/neuro/"],
  },
  {
    adds: "a timer of the Neuro service",
    file: "src/services/neuro/state.ts",
    after: "export type Timer =",
    member: '| { readonly is: "something_new" }',
    breaks: ["src/services/neuro/"],
  },
  {
    adds: "a timer of the Brain service",
    file: "src/services/brain/state.ts",
    after: "export type BrainTimer =",
    member: '| { readonly is: "something_new" }',
    breaks: ["src/services/brain/"],
  },
  {
    adds: "a timer of the Intermediary service",
    file: "src/services/intermediary/timers.ts",
    after: "export type PeerTimer =",
    member: '| { readonly is: "something_new"; readonly peer: PeerId }',
    breaks: ["src/services/intermediary/"],
  },
  {
    adds: "a service",
    file: "src/core/service.ts",
    after: "export type ServiceName =",
    member: '"somethingNew" |',
    breaks: ["src/core/service.ts", "src/core/request.ts"],
  },
  {
    adds: "a service, seen by the relay",
    file: "src/core/service.ts",
    after: "export type ServiceName =",
    member: '"somethingNew" |',
    breaks: ["src/relay/services.ts"],
    project: "src/tsconfig.edges.json",
  },
  {
    adds: "a query",
    file: "src/core/request.ts",
    after: "readonly neuro: CommonQueries<NeuroView> & {",
    member: "readonly somethingNew: RequestType<NoParams, Done>;",
    breaks: ["src/services/neuro/operator/requests.ts"],
  },
  {
    adds: "a command",
    file: "src/core/request.ts",
    after: "  readonly neuro: {",
    member: "readonly somethingNew: RequestType<NoParams, Done>;",
    breaks: ["src/services/neuro/operator/requests.ts"],
  },
  {
    adds: "an observation",
    file: "src/core/observation.ts",
    after: "export type PresenceObservation =",
    member: '| { readonly is: "something_new" }',
    breaks: ["src/observability/log-messages.ts"],
    project: "src/tsconfig.edges.json",
  },
  {
    adds: "a fault",
    file: "src/core/fault.ts",
    after: "export type FaultName =",
    member: '| "somethingNew"',
    breaks: ["src/core/fault.ts"],
  },
];

/** The errors of the compiler on a copy of the sources in which the member was added. */
function errorsWith({ file, after, member, project = "src" }: Case): string {
  const root = mkdtempSync(join(tmpdir(), "closed-"));
  try {
    for (const copied of ["src", "mod.ts", "package.json"]) {
      cpSync(join(ROOT, copied), join(root, copied), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
    const text = readFileSync(join(root, file), "utf8");
    const at = text.indexOf(after);
    check.that(at >= 0, `${file} contains ${after}`);
    writeFileSync(join(root, file), `${text.slice(0, at + after.length)} ${member}${text.slice(at + after.length)}`);
    return spawnSync(toolPath("tsc"), ["-p", project], { cwd: root, encoding: "utf8" }).stdout;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

for (const one of CASES) {
  test(`closed unions: ${one.adds} does not compile until it is handled`, () => {
    const errors = errorsWith(one);
    const broken = one.breaks.filter((path) =>
      errors.split("\n").some((line) => line.startsWith(path) && line.includes("error TS"))
    );
    check.equal(broken, one.breaks, errors.slice(0, 2_000));
  });
}
