/** Makes names unique by a number after them. Remembers where each name's numbers have got to, so that many alike stay cheap. */
export class UniqueNames {
  private readonly reached = new Map<string, number>();

  /** The wanted name, or `wanted_1`, `wanted_2`, …: the first that is not taken. */
  free(wanted: string, isTaken: (name: string) => boolean): string {
    if (!isTaken(wanted)) return wanted;
    let number = this.reached.get(wanted) ?? 1;
    while (isTaken(`${wanted}_${number}`)) number++;
    this.reached.set(wanted, number);
    return `${wanted}_${number}`;
  }
}
