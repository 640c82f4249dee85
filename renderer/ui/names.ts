/** Names up to this long are written in full. */
const shortEnough = 24;

/** Long slash-separated names cut to the last parts that still tell them apart: `net/…/a/conv` → `…/conv`. */
export function shortenedNames(names: readonly string[]): (name: string) => string {
  const short = new Map<string, string>();
  let waiting = [...new Set(names)];
  for (let parts = 1; waiting.length > 0; parts += 1) {
    const tails = waiting.map((name) => name.split('/').slice(-parts).join('/'));
    const counts = new Map<string, number>();
    for (const tail of tails) counts.set(tail, (counts.get(tail) ?? 0) + 1);
    waiting = waiting.filter((name, index) => {
      const tail = tails[index];
      if (counts.get(tail)! > 1 && tail !== name) return true;
      short.set(name, tail === name || name.length <= shortEnough ? name : `…/${tail}`);
      return false;
    });
  }
  return (name) => short.get(name) ?? name;
}
