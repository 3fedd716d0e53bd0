/**
 * The exponential function, with the same bits on every runtime.
 *
 * `Math.exp` differs between JavaScript engines. This one uses only `+ - * /`, whose results IEEE 754 defines exactly: the argument is
 * reduced by a multiple of `ln 2`, a series is summed for the rest, and the result is scaled by an exact power of two. The relative
 * error is below 1e-15.
 */

const [LN2_HIGH, LN2_LOW, PER_LN2] = [
  6.93147180369123816490e-01,
  1.90821492927058770002e-10,
  1.44269504088896338700,
] as const;
const [OVERFLOW, UNDERFLOW] = [709.782712893384, -745.1332191019412] as const;
const TERMS = 17;

/** e to the power of `x`. */
export function exp(x: number): number {
  if (x > OVERFLOW) return Infinity;
  if (x < UNDERFLOW) return 0;
  if (Number.isNaN(x)) return NaN;
  const power = Math.floor(x * PER_LN2 + 0.5);
  const rest = x - power * LN2_HIGH - power * LN2_LOW;
  let sum = 1;
  for (let term = TERMS; term > 0; term--) sum = 1 + (rest * sum) / term;
  const half = Math.trunc(power / 2); // Why: the power itself may overflow although the product does not.
  return sum * powerOfTwo(half) * powerOfTwo(power - half);
}

/** `x` times the logistic function of `x`. */
export const swish = (x: number): number => x * logistic(x);

/** 1 / (1 + e^-x). */
export const logistic = (x: number): number => 1 / (1 + exp(-x));

function powerOfTwo(power: number): number {
  let result = 1;
  let square = power < 0 ? 0.5 : 2;
  for (let left = Math.abs(power); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
