/** Sets of names that belong together (union-find with path halving). */
export class Groups {
  private readonly parents = new Map<string, string>();

  /** The representative of a name's set; a new name is a set of its own. */
  find(name: string): string {
    let at = name;
    let parent = this.parents.get(at);
    if (parent === undefined) {
      this.parents.set(at, at);
      return at;
    }
    while (parent !== at) {
      const above: string = this.parents.get(parent)!;
      this.parents.set(at, above);
      at = above;
      parent = this.parents.get(at)!;
    }
    return at;
  }

  /** Joins two sets; the first one's representative stays. */
  unite(a: string, b: string): void {
    const keep = this.find(a);
    const drop = this.find(b);
    if (keep !== drop) this.parents.set(drop, keep);
  }

  /** All sets by representative, members in the order in which they were first named. */
  sets(): Map<string, string[]> {
    const result = new Map<string, string[]>();
    for (const name of this.parents.keys()) {
      const root = this.find(name);
      const members = result.get(root);
      if (members) members.push(name);
      else result.set(root, [name]);
    }
    return result;
  }
}
