/** The initial net of a training, and the list of its parameters in the order in which they are written. */
import {
  ARG_LAYERS,
  biasName,
  type DenseLayer,
  type Embedding,
  embeddingName,
  JOINED_LAYERS,
  kernelName,
  type Net,
} from "./net.ts";
import type { Tensor } from "./safetensors.ts";
import { CHANNELS, FIRST, type PerChannel, perChannel, type Vocabulary } from "./tokenizer.ts";

export interface NetParameter {
  readonly name: string;
  readonly tensor: Tensor;
}

/** The widths of the layers of a net. */
export interface NetSizes {
  readonly argLayers: readonly [number, number, number];
  readonly width: number;
  readonly joinedLayers: readonly [number, number];
}

/** The net of the original, and one that is small enough to be part of the program. */
export const SIZES: Readonly<Record<"full" | "small", NetSizes>> = {
  full: { argLayers: [64, 64, 32], width: 64, joinedLayers: [128, 64] },
  small: { argLayers: [8, 8, 8], width: 8, joinedLayers: [16, 8] },
};

const EMBEDDING_SPREAD = 0.05;

/** A net and its parameters. They share their arrays, so changing the parameters changes the net. */
export function parametersOf(
  { argLayers, width, joinedLayers }: NetSizes,
  vocabularies: PerChannel<Vocabulary>,
  random: () => number,
): { readonly net: Net; readonly parameters: readonly NetParameter[] } {
  const parameters: NetParameter[] = [];
  const layer = (name: string, inputs: number, outputs: number): DenseLayer => {
    const reach = Math.sqrt(6 / (inputs + outputs));
    const kernel = Float64Array.from({ length: inputs * outputs }, () => (2 * random() - 1) * reach);
    const bias = new Float64Array(outputs);
    parameters.push({ name: kernelName(name), tensor: { shape: [inputs, outputs], values: kernel } });
    parameters.push({ name: biasName(name), tensor: { shape: [outputs], values: bias } });
    return { inputs, outputs, kernel, bias };
  };
  const chain = (names: readonly string[], widths: readonly number[]): DenseLayer[] =>
    names.map((name, at) => layer(name, widths[at] ?? 0, widths[at + 1] ?? 0));
  const left = chain(ARG_LAYERS, [2, ...argLayers]);
  const embeddings = perChannel((channel): Embedding => {
    const count = vocabularies[channel].ids.size + FIRST;
    const rows = Float64Array.from({ length: count * width }, () => (2 * random() - 1) * EMBEDDING_SPREAD);
    parameters.push({ name: embeddingName(channel), tensor: { shape: [count, width], values: rows } });
    return { width, rows };
  });
  const right = chain(JOINED_LAYERS, [argLayers[2] + CHANNELS.length * width, ...joinedLayers, 1]);
  return { net: { argLayers: left, embeddings, joinedLayers: right }, parameters };
}
