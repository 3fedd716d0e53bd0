/** What takes time, for the engine: each job by its name. */
import type { JobName } from "../core/effect.ts";
import type { Json } from "../core/json.ts";
import type { Settings } from "../core/settings.ts";
import type { Jobs } from "../engine/ports.ts";
import { decide, type ModelTools } from "./openai.ts";

/** Resolves with the job's output or rejects; ends by itself even when nobody waits for it any more. */
export type Job = (input: Json, settings: Settings) => Promise<Json>;

/** The jobs there are. `lent` are those that only a runtime can do, since they need its files. */
export function createJobs(tools: ModelTools, lent: Readonly<Partial<Record<JobName, Job>>> = {}): Jobs {
  const jobs: Readonly<Partial<Record<JobName, Job>>> = {
    decide: (input, settings) => decide(input, settings["nakurity-backend"].openai, tools),
    ...lent,
  };
  return {
    run(name, input, settings) {
      const job = jobs[name];
      return job === undefined ? Promise.reject(new Error(`this runtime has no job ${name}`)) : job(input, settings);
    },
  };
}

/** The job `artifact` where there are none: the one that comes with the program. */
export const artifactBuiltIn: Job = () => Promise.resolve({ built_in: true });
