/**
 * Training: the same examples, seed and options give the same weights on every runtime, to the last bit.
 *
 * Minimises the mean squared error in batches, with Adam. All arithmetic is in 64 bits and in a fixed order; weights are rounded to
 * 32 bits only when they are written.
 *
 * Invariant: R1 only `+ - * /`, the square root (whose result IEEE 754 defines exactly) and our own `exp` are used.
 */
import type { Example } from "./examples.ts";
import { logistic, swish } from "./exp.ts";
import { dense, type DenseLayer, type Embedding, mean, type Net, predict } from "./net.ts";
import { type NetParameter, type NetSizes, parametersOf } from "./parameters.ts";
import { seededRandom, shuffle } from "../core/random.ts";
import { CHANNELS, PAD, type PerChannel, perChannel, type TokenIds, tokenize, type Vocabulary } from "./tokenizer.ts";

export interface TrainingOptions {
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly sizes: NetSizes;
}

export interface TrainingResult {
  readonly net: Net;
  readonly parameters: readonly NetParameter[];
  /** Mean squared error of each epoch. */
  readonly losses: readonly number[];
}

const [DECAY_MEAN, DECAY_SQUARE, TINY] = [0.9, 0.999, 1e-7] as const;

/** An example with the tokens of its texts. */
interface EncodedExample {
  readonly args: readonly number[];
  readonly tokens: PerChannel<TokenIds>;
  readonly target: number;
}

/** Trains a net with some examples. `onEpoch` is called after each epoch. */
export function train(
  { examples, vocabularies }: { readonly examples: readonly Example[]; readonly vocabularies: PerChannel<Vocabulary> },
  { seed, epochs, batch, rate, sizes }: TrainingOptions,
  onEpoch: (epoch: number, loss: number) => void = () => {},
): TrainingResult {
  const random = seededRandom(seed);
  const { net, parameters } = parametersOf(sizes, vocabularies, random);
  const lessons = examples.map((example) => encodeExample(example, vocabularies));
  const gradients = new Gradients(parameters);
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(lessons, random);
    let loss = 0;
    for (let at = 0; at < lessons.length; at += batch) {
      const some = lessons.slice(at, at + batch);
      for (const lesson of some) loss += backpropagate(net, gradients, lesson);
      gradients.descend(rate, some.length);
    }
    losses.push(loss / Math.max(1, lessons.length));
    onEpoch(epoch + 1, losses.at(-1) ?? 0);
  }
  return { net, parameters, losses };
}

/** The mean squared error of the predictions for some examples. */
export function meanSquaredError(net: Net, examples: readonly Example[], vocabularies: PerChannel<Vocabulary>): number {
  let sum = 0;
  for (const example of examples) {
    const { args, tokens, target } = encodeExample(example, vocabularies);
    const error = (predict(net, args, tokens) ?? 0) - target;
    sum += error * error;
  }
  return sum / Math.max(1, examples.length);
}

function encodeExample({ args, texts, target }: Example, vocabularies: PerChannel<Vocabulary>): EncodedExample {
  const tokens = perChannel((channel) => {
    const read = tokenize(vocabularies[channel], texts[channel]);
    return typeof read === "string" ? { ids: [], length: 0 } : read;
  });
  return { args, tokens, target };
}

/** One pass forward and back. Adds to the gradients and returns the squared error. */
function backpropagate(net: Net, gradients: Gradients, { args, tokens, target }: EncodedExample): number {
  const left = forward(net.argLayers, Float64Array.from(args), "swish");
  const means = CHANNELS.map((channel) => mean(net.embeddings[channel], tokens[channel]));
  const joined = Float64Array.from([...left.output, ...means.flatMap((each) => [...each])]);
  const right = forward(net.joinedLayers, joined, "linear");
  const error = (right.output[0] ?? 0) - target;
  const back = backward(net.joinedLayers, { ...right, gradients, last: "linear" }, Float64Array.of(2 * error));
  let at = left.output.length;
  for (const channel of CHANNELS) {
    const { width } = net.embeddings[channel];
    backwardEmbedding(net.embeddings[channel], tokens[channel], { gradients, back: back.subarray(at, at + width) });
    at += width;
  }
  backward(net.argLayers, { ...left, gradients, last: "swish" }, back.subarray(0, left.output.length));
  return error * error;
}

interface ForwardPass {
  /** The input of each layer. */
  readonly inputs: readonly Float64Array[];
  /** The output of each layer before swish. */
  readonly sums: readonly Float64Array[];
  readonly output: Float64Array;
}

function forward(layers: readonly DenseLayer[], input: Float64Array, last: "swish" | "linear"): ForwardPass {
  const [inputs, sums]: [Float64Array[], Float64Array[]] = [[], []];
  let values = input;
  for (const [at, layer] of layers.entries()) {
    const sum = dense(layer, values);
    inputs.push(values);
    sums.push(sum);
    values = last === "linear" && at === layers.length - 1 ? sum : Float64Array.from(sum, swish);
  }
  return { inputs, sums, output: values };
}

interface BackwardPass extends ForwardPass {
  readonly gradients: Gradients;
  readonly last: "swish" | "linear";
}

/** Adds the gradients of some layers, given the gradient of their output. Returns the gradient of their input. */
function backward(
  layers: readonly DenseLayer[],
  { inputs, sums, gradients, last }: BackwardPass,
  output: Float64Array,
): Float64Array {
  let back = output;
  for (let at = layers.length - 1; at >= 0; at--) {
    const [layer, input, sum] = [layers[at], inputs[at], sums[at]];
    if (layer === undefined || input === undefined || sum === undefined) continue;
    const isLinear = last === "linear" && at === layers.length - 1;
    const delta = isLinear ? back : back.map((value, unit) => value * slope(sum[unit] ?? 0));
    back = backwardLayer(layer, input, { gradients, delta });
  }
  return back;
}

/** The derivative of swish. */
function slope(x: number): number {
  const share = logistic(x);
  return share + x * share * (1 - share);
}

function backwardLayer(
  { inputs, outputs, kernel, bias }: DenseLayer,
  input: Float64Array,
  { gradients, delta }: { readonly gradients: Gradients; readonly delta: Float64Array },
): Float64Array {
  const [ofKernel, ofBias] = [gradients.of(kernel), gradients.of(bias)];
  const back = new Float64Array(inputs);
  for (let unit = 0; unit < outputs; unit++) ofBias[unit] = (ofBias[unit] ?? 0) + (delta[unit] ?? 0);
  for (let at = 0; at < inputs; at++) {
    const value = input[at] ?? 0;
    let sum = 0;
    for (let unit = 0, cell = at * outputs; unit < outputs; unit++, cell++) {
      const step = delta[unit] ?? 0;
      ofKernel[cell] = (ofKernel[cell] ?? 0) + value * step;
      sum += (kernel[cell] ?? 0) * step;
    }
    back[at] = sum;
  }
  return back;
}

function backwardEmbedding(
  { width, rows }: Embedding,
  { ids, length }: TokenIds,
  { gradients, back }: { readonly gradients: Gradients; readonly back: Float64Array },
): void {
  const ofRows = gradients.of(rows);
  for (const id of ids) {
    if (id === PAD) continue;
    for (let at = 0; at < width; at++) ofRows[id * width + at] = (ofRows[id * width + at] ?? 0) + (back[at] ?? 0) / length;
  }
}

/** The gradients of all parameters, and the moments that Adam keeps. */
class Gradients {
  readonly #cells: readonly ParameterState[];
  readonly #byValues: ReadonlyMap<Float64Array, Float64Array>;
  #meanBias = 1;
  #squareBias = 1;

  constructor(parameters: readonly NetParameter[]) {
    this.#cells = parameters.map(({ tensor: { values } }) => ({
      values,
      gradient: new Float64Array(values.length),
      mean: new Float64Array(values.length),
      square: new Float64Array(values.length),
    }));
    this.#byValues = new Map(this.#cells.map(({ values, gradient }) => [values, gradient]));
  }

  of(values: Float64Array): Float64Array {
    return this.#byValues.get(values) ?? new Float64Array(values.length);
  }

  /** One step against the mean gradient of a batch. Resets the gradients. */
  descend(rate: number, count: number): void {
    this.#meanBias *= DECAY_MEAN;
    this.#squareBias *= DECAY_SQUARE;
    const [meanShare, squareShare] = [1 - this.#meanBias, 1 - this.#squareBias];
    for (const { values, gradient, mean, square } of this.#cells) {
      for (let at = 0; at < values.length; at++) {
        const slope = (gradient[at] ?? 0) / count;
        const first = DECAY_MEAN * (mean[at] ?? 0) + (1 - DECAY_MEAN) * slope;
        const second = DECAY_SQUARE * (square[at] ?? 0) + (1 - DECAY_SQUARE) * slope * slope;
        mean[at] = first;
        square[at] = second;
        values[at] = (values[at] ?? 0) - (rate * (first / meanShare)) / (Math.sqrt(second / squareShare) + TINY);
      }
      gradient.fill(0);
    }
  }
}

interface ParameterState {
  readonly values: Float64Array;
  readonly gradient: Float64Array;
  readonly mean: Float64Array;
  readonly square: Float64Array;
}
