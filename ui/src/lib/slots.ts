/** Which part of the document shows which photo: one that has gone out of view is used again for one that comes in. */

export class Slots {
  private held = new Map<number, number>()
  private free: number[] = []
  private made = 0

  /** A slot for each of these photos, no two the same; a photo keeps its own for as long as it is asked for. */
  assign(ids: readonly number[]): readonly number[] {
    const next = new Map<number, number>()
    for (const id of ids) {
      const slot = this.held.get(id)
      if (slot !== undefined) next.set(id, slot)
    }
    for (const [id, slot] of this.held) if (!next.has(id)) this.free.push(slot)
    // In order: where all photos are others, each part stays where it is in the document.
    this.free.sort((a, b) => b - a)
    for (const id of ids) if (!next.has(id)) next.set(id, this.free.pop() ?? this.made++)
    this.held = next
    return ids.map((id) => next.get(id) as number)
  }
}
