/** Jobs: asynchronous work for the engine, by name. */
import type { JobName } from "../core/effect.ts";
import type { Json } from "../core/json.ts";
import type { Settings } from "../core/settings.ts";
import type { Jobs } from "../engine/ports.ts";
import { decide, type ModelTools } from "./openai.ts";

/** Resolves with the job's output or rejects. Ends by itself, even when its result is not awaited any more. */
export type Job = (input: Json, settings: Settings) => Promise<Json>;

/** All jobs. `lent`: jobs that only a runtime can do, because they need its files. */
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

/** The job `artifact` on runtimes without files: selects the artifact that is built into the program. */
export const artifactBuiltIn: Job = () => Promise.resolve({ built_in: true });
