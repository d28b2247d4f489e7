/** Decides what the popup shows: an item, the burst in progress, or its result. What the user is looking at stays until they let go. */

import type { Burst, Finished, ImageOut, PlaceProblem } from '../api/types'
import { MOST_ITEMS, itemKey, newestFirst, queueItems, type QueueItem } from './queueItems'

export interface QueueSource {
  readonly images: readonly ImageOut[]
  readonly problems: readonly PlaceProblem[]
  readonly burst: Burst | null
  /** the last burst, until the next photos come */
  readonly finished: Finished | null
}

export class PopupQueue {
  /** the card that was turned to or is held; it stays though newer ones push it off the end */
  private kept = $state.raw<QueueItem | null>(null)
  private held = $state(false)
  /** the newest card when the popup opened; undefined once that was answered, or the user did something */
  private opened: string | null | undefined
  /** what came of the burst was read */
  private read = $state(false)

  private readonly all = $derived.by(() => queueItems(this.source().images, this.source().problems, Infinity))

  /** newest first */
  readonly list = $derived.by((): readonly QueueItem[] => {
    const shown = this.all.slice(0, MOST_ITEMS)
    const kept = this.found
    return kept === null || shown.some((card) => itemKey(card) === itemKey(kept)) ? shown : [...shown, kept]
  })
  readonly index = $derived.by(() => {
    const kept = this.found
    return kept === null ? 0 : Math.max(0, this.list.findIndex((card) => itemKey(card) === itemKey(kept)))
  })
  readonly item = $derived.by((): QueueItem | undefined => this.list[this.index])
  /** in front of the items, unless one of them is held */
  readonly burst = $derived.by(() => (this.held && this.found !== null ? null : this.source().burst))
  /** in front of the items, unless the user is looking at one */
  readonly finished = $derived.by(() => (this.burst !== null || this.found !== null || this.read ? null : this.source().finished))
  readonly newest = $derived.by(() => (this.all[0] ? itemKey(this.all[0]) : null))

  /** @param begun whether something was typed on a card and not yet given */
  constructor(
    private readonly source: () => QueueSource,
    private readonly begun: (card: QueueItem) => boolean = () => false,
  ) {}

  /** The user points at the popup or types into it, or no longer does: meanwhile their item stays, whatever comes. */
  hold(held: boolean): void {
    if (held && this.burst === null && this.finished === null) this.kept ??= this.item ?? null
    this.held = held
    if (!held && this.kept !== null && this.index === 0 && !this.begun(this.kept)) this.kept = null
  }

  /** The popup has just opened, before it knows what for: the card that comes is what it opened on. */
  open(): void {
    this.opened = this.newest
  }

  /** The user does something: their card stays. */
  touched(): void {
    this.opened = undefined
  }

  /** A new item, or the start or end of a burst: it comes to the front, unless the user holds another item or has begun to name its faces. */
  news(): void {
    if (this.source().finished === null) this.read = false
    if (this.opened !== undefined && this.opened !== this.newest) {
      this.opened = undefined
      this.kept = null
      // A pointer that happens to be where it opened holds what it opened on.
      if (this.held) this.kept = this.item ?? null
    } else if (!this.held && this.kept !== null && !this.begun(this.kept)) this.kept = null
  }

  /** On from what came of the burst to the cards. */
  leaveFinished(): void {
    this.read = true
  }

  turn(step: number): void {
    this.touched()
    if (this.finished !== null) {
      if (step > 0) this.leaveFinished()
      return
    }
    const next = this.list[this.index + step]
    if (this.burst === null && next !== undefined) this.kept = next
  }

  /** The kept card as it is known now; null if it is gone, not only pushed off the end of what is read. */
  private readonly found = $derived.by((): QueueItem | null => {
    const { kept } = this
    if (kept === null) return null
    const known = this.all.find((card) => itemKey(card) === itemKey(kept))
    const last = this.all.at(-1)
    return known ?? (last !== undefined && newestFirst(last, kept) < 0 ? kept : null)
  })
}
