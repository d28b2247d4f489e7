/** Decides which pictures of the grid the browser loads: those in view first, then some of those near it with each frame. */

/** More of them would keep a small computer from drawing, and the last would come no sooner. */
const PER_FRAME = 3
/** A frame that comes so long after the one before says that the computer is busy: so many then. */
const LATE_MS = 25
const PER_LATE_FRAME = 2

export class PictureQueue {
  /** the photos whose pictures were asked for */
  asked = $state.raw<ReadonlySet<number>>(new Set())
  private frame: number | undefined

  get empty(): boolean {
    return this.asked.size === 0
  }

  /**
   * Asks for pictures; at first for all that are in view, at once.
   *
   * @param near ids of the photos near the view
   * @param seen ids of those in view
   * @param again called with the next frame while pictures are left, with how many to ask for then
   * @returns whether all in view have been asked for
   */
  ask(near: Uint32Array, seen: Uint32Array, again: (most: number) => void, most: number = PER_FRAME): boolean {
    this.stop()
    const begins = this.empty
    const next = new Set(near.filter((id) => this.asked.has(id)))
    const before = next.size
    for (const ids of begins ? [seen] : [seen, near]) for (const id of ids) if (begins || next.size < before + most) next.add(id)
    if (next.size > before || before < this.asked.size) this.asked = next
    if (!begins && next.size < near.length) {
      const at = performance.now()
      this.frame = requestAnimationFrame(() => again(performance.now() - at > LATE_MS ? PER_LATE_FRAME : PER_FRAME))
    }
    return seen.every((id) => next.has(id))
  }

  stop(): void {
    if (this.frame !== undefined) cancelAnimationFrame(this.frame)
    this.frame = undefined
  }
}
