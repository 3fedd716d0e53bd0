import type { ArtifactFiles } from "./artifact.ts";
export const BUILT_IN: ArtifactFiles = {
  run_id: "built-in",
  manifest: "",
  config: "",
  vocabularies: { english: "", math: "", physics: "" },
  weights: "",
};
