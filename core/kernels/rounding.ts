/** Nearest integer, halves away from zero: `std::round`, by which TFLite's converter and reference kernels quantize. */
export function roundHalfAway(x: number): number {
  const magnitude = x < 0 ? -x : x;
  const floor = Math.floor(magnitude);
  const rounded = magnitude - floor >= 0.5 ? floor + 1 : floor;
  return x < 0 ? -rounded : rounded;
}

/** Nearest integer, halves to even: IEEE 754's default, by which ONNX QuantizeLinear and XNNPACK quantize. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const fraction = x - floor;
  if (fraction < 0.5) return floor;
  if (fraction > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
