/** The port by which a service predicts: an artifact that has been read and verified. */
import type { Json } from "../core/json.ts";
import { type ArtifactFiles, artifactOf, isArtifactFiles } from "./artifact.ts";
import { BUILT_IN } from "./built-in.ts";
import { predict } from "./net.ts";
import { type Channel, type PerChannel, type TokenIds, tokenize } from "./tokenizer.ts";

export interface Predictor {
  readonly runId: string;
  /** False if only another program can run the model, or the weights are damaged: texts have tokens, and predictions are null. */
  readonly canPredict: boolean;
  /** Why the weights cannot be used. */
  readonly modelError: string | undefined;
  /** The tokens of a text, or the reason why it has none. */
  tokenize(channel: Channel, text: string): TokenIds | string;
  /** The prediction for two numbers and the texts' tokens; null if the model gives no finite number. */
  predict(args: readonly number[], tokens: PerChannel<TokenIds>): number | null;
}

/** The predictor of the artifact that is part of the program. */
export const builtInPredictor = (): Predictor | string => predictorOf(BUILT_IN);

/** The predictor for the output of the job that reads artifacts, or the reason why there is none. */
export function predictorFrom(output: Json | undefined): Predictor | string {
  return isArtifactFiles(output) ? predictorOf(output) : "its files could not be read";
}

function predictorOf(files: ArtifactFiles): Predictor | string {
  const artifact = artifactOf(files);
  if (typeof artifact === "string") return artifact;
  const { runId, vocabularies, net, modelError } = artifact;
  return {
    runId,
    canPredict: net !== undefined,
    modelError,
    tokenize: (channel, text) => tokenize(vocabularies[channel], text),
    predict: (args, tokens) => (net === undefined ? null : predict(net, args, tokens)),
  };
}
