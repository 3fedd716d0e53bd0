/** Inference: predictions from trained artifacts, and their training. Knows nothing of services. */
export { builtInPredictor, type Predictor, predictorFrom } from "./predictor.ts";
export { type Channel, CHANNELS, NO_TOKENS, type PerChannel, perChannel, type TokenIds } from "./tokenizer.ts";
export { detectDomain } from "./domain.ts";
export { type NetSizes, SIZES } from "./parameters.ts";
export { runIdOf, runTraining, type TrainingPlan, type TrainingRun } from "./training-run.ts";
export { normalizeUnits } from "./units.ts";
