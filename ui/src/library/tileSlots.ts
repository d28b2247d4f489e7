/** Assigns photos to elements of the document. An element whose photo left the view is used again. */

export class TileSlots {
  /** by photo, in the document's order */
  private held = new Map<number, number>()
  private free: number[] = []
  private made = 0

  /** A slot for each of these photos, no two the same; a photo keeps its own for as long as it is asked for. */
  assign(ids: readonly number[]): readonly number[] {
    const wanted = new Set(ids)
    const before = this.held
    // As they stand in the document: where all photos are others, no part of it is moved.
    const free = [...[...before].filter(([id]) => !wanted.has(id)).map(([, slot]) => slot), ...this.free].reverse()
    this.held = new Map(ids.map((id) => [id, before.get(id) ?? free.pop() ?? this.made++]))
    this.free = free.reverse()
    return [...this.held.values()]
  }
}
