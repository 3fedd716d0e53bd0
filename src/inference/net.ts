/**
 * The routed dense net: two numbers and three texts in, one number out.
 *
 * args -> dense -> dense_1 -> dense_2; each text -> the mean of its words' embeddings; all of these -> dense_3 -> dense_4 ->
 * predicted_result. Every layer except the last is followed by swish.
 *
 * Invariants: A1 sums are computed in 64 bits and in a fixed order, and only the result is rounded to 32 bits, so every runtime gives
 * the same bytes; A2 the embedding of a text without words is zero; A3 a result that is not finite is not a prediction.
 */
import { swish } from "./exp.ts";
import type { Tensor } from "./safetensors.ts";
import { CHANNELS, FIRST, PAD, type PerChannel, perChannel, type TokenIds, type Vocabulary } from "./tokenizer.ts";

export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Row by row: first all weights of the first input. */
  readonly kernel: Float64Array;
  readonly bias: Float64Array;
}

export interface Net {
  /** `dense`, `dense_1`, `dense_2`. */
  readonly argLayers: readonly DenseLayer[];
  readonly embeddings: PerChannel<Embedding>;
  /** `dense_3`, `dense_4`, `predicted_result`. */
  readonly joinedLayers: readonly DenseLayer[];
}

export interface Embedding {
  readonly width: number;
  readonly rows: Float64Array;
}

export const ARCHITECTURE = "surrogate_routed@1";
export const ARG_LAYERS = ["dense", "dense_1", "dense_2"] as const;
export const JOINED_LAYERS = ["dense_3", "dense_4", "predicted_result"] as const;

export const kernelName = (layer: string): string => `${layer}.kernel`;
export const biasName = (layer: string): string => `${layer}.bias`;
export const embeddingName = (channel: string): string => `embedding.${channel}`;

/** The net of some tensors for some vocabularies, or the reason why they do not make one. */
export function netOf(tensors: ReadonlyMap<string, Tensor>, vocabularies: PerChannel<Vocabulary>): Net | string {
  const layers: DenseLayer[] = [];
  for (const name of [...ARG_LAYERS, ...JOINED_LAYERS]) {
    const layer = denseOf(tensors, name);
    if (typeof layer === "string") return layer;
    layers.push(layer);
  }
  for (const channel of CHANNELS) {
    const rows = tensors.get(embeddingName(channel));
    const wanted = vocabularies[channel].ids.size + FIRST;
    if (rows?.shape.length !== 2 || rows.shape[0] !== wanted) {
      return `${embeddingName(channel)} does not have ${wanted} rows`;
    }
  }
  const embeddings = perChannel((channel): Embedding => {
    const { shape: [, width = 0] = [], values: rows = new Float64Array() } = tensors.get(embeddingName(channel)) ?? {};
    return { width, rows };
  });
  const argLayers = layers.slice(0, ARG_LAYERS.length);
  const net = { argLayers, embeddings, joinedLayers: layers.slice(ARG_LAYERS.length) };
  return sizeMismatch(net) ?? net;
}

function denseOf(tensors: ReadonlyMap<string, Tensor>, name: string): DenseLayer | string {
  const kernel = tensors.get(kernelName(name));
  const bias = tensors.get(biasName(name));
  const [inputs = 0, outputs = 0] = kernel?.shape ?? [];
  const isThere = kernel?.shape.length === 2 && bias?.shape.length === 1 && bias.shape[0] === outputs;
  return isThere ? { inputs, outputs, kernel: kernel.values, bias: bias.values } : `layer ${name} is missing or misshapen`;
}

/** The first layer whose input size differs from the output size of the layers before it. */
function sizeMismatch({ argLayers, embeddings, joinedLayers }: Net): string | undefined {
  let width = 2;
  for (const [at, { inputs, outputs }] of argLayers.entries()) {
    if (inputs !== width) return `layer ${ARG_LAYERS[at]} takes ${inputs} numbers and gets ${width}`;
    width = outputs;
  }
  for (const channel of CHANNELS) width += embeddings[channel].width;
  for (const [at, { inputs, outputs }] of joinedLayers.entries()) {
    if (inputs !== width) return `layer ${JOINED_LAYERS[at]} takes ${inputs} numbers and gets ${width}`;
    width = outputs;
  }
  return width === 1 ? undefined : `the last layer gives ${width} numbers instead of one`;
}

/** The prediction for two numbers and the texts' tokens, as a 32-bit float; null if it is not finite. */
export function predict(net: Net, args: readonly number[], tokens: PerChannel<TokenIds>): number | null {
  let values = Float64Array.from(args);
  for (const layer of net.argLayers) values = activate(dense(layer, values));
  values = Float64Array.from([
    ...values,
    ...CHANNELS.flatMap((channel) => [...mean(net.embeddings[channel], tokens[channel])]),
  ]);
  for (const [at, layer] of net.joinedLayers.entries()) {
    values = dense(layer, values);
    if (at < net.joinedLayers.length - 1) values = activate(values);
  }
  const result = Math.fround(values[0] ?? NaN);
  return Number.isFinite(result) ? result : null;
}

/** The weighted sums of one layer: for each output its bias, then its inputs in order. */
export function dense({ inputs, outputs, kernel, bias }: DenseLayer, values: Float64Array): Float64Array<ArrayBuffer> {
  const sums = Float64Array.from(bias);
  for (let input = 0; input < inputs; input++) {
    const value = values[input] ?? 0;
    const row = input * outputs;
    for (let output = 0; output < outputs; output++) {
      sums[output] = (sums[output] ?? 0) + value * (kernel[row + output] ?? 0);
    }
  }
  return sums;
}

/** Swish of every value. */
const activate = (values: Float64Array): Float64Array<ArrayBuffer> => Float64Array.from(values, swish);

/** The mean embedding of all tokens that are not padding. */
export function mean({ width, rows }: Embedding, { ids, length }: TokenIds): Float64Array<ArrayBuffer> {
  const sums = new Float64Array(width);
  for (const id of ids) {
    if (id === PAD) continue;
    for (let at = 0; at < width; at++) sums[at] = (sums[at] ?? 0) + (rows[id * width + at] ?? 0);
  }
  if (length > 0) { for (let at = 0; at < width; at++) sums[at] = (sums[at] ?? 0) / length; }
  return sums;
}
