/** The jobs that the engine runs asynchronously, by name. */
import type { JobName } from "../core/effect.ts";
import type { Json } from "../core/json.ts";
import type { Settings } from "../core/settings.ts";
import type { Jobs } from "../engine/ports.ts";
import { decide, type ModelTools } from "./openai.ts";

/** Resolves with the job's output, or rejects. It always ends, even if nobody waits for it any more. */
export type Job = (input: Json, settings: Settings) => Promise<Json>;

/** All jobs. `provided` are those of the runtime, because they need files. */
export function createJobs(tools: ModelTools, provided: Readonly<Partial<Record<JobName, Job>>> = {}): Jobs {
  const jobs: Readonly<Partial<Record<JobName, Job>>> = {
    decide: (input, settings) => decide(input, settings["nakurity-backend"].openai, tools),
    ...provided,
  };
  return {
    run(name, input, settings) {
      const job = jobs[name];
      return job === undefined ? Promise.reject(new Error(`this runtime has no job ${name}`)) : job(input, settings);
    },
  };
}

/** The job `artifact` on runtimes without files: the built-in artifact. */
export const artifactBuiltIn: Job = () => Promise.resolve({ built_in: true });
