/** Seeded uniform numbers in [0, 1): a linear congruential generator with the constants of Numerical Recipes. */
export function random(seed: number): () => number {
  let state = Math.imul(seed, 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
