/** What the popup can be paged through: photos that were scanned, and files that could not be. */

import type { ImageOut, PlaceProblem } from '../api/types'

export type QueueItem = { readonly kind: 'photo'; readonly image: ImageOut } | { readonly kind: 'failed'; readonly file: PlaceProblem }

/** As many as the popup can be paged through. */
export const MOST_ITEMS = 8

function at(item: QueueItem): number {
  return Date.parse(item.kind === 'photo' ? item.image.indexed_at : item.file.at)
}

export function itemKey(item: QueueItem): string {
  return item.kind === 'photo' ? `photo-${item.image.id}` : `failed-${item.file.place_id}`
}

/** For sorting: less than zero if `a` is newer. */
export function newestFirst(a: QueueItem, b: QueueItem): number {
  return at(b) - at(a)
}

/** The newest photos and failures, newest first. */
export function queueItems(images: readonly ImageOut[], problems: readonly PlaceProblem[], most = MOST_ITEMS): QueueItem[] {
  const all: QueueItem[] = [
    ...images.slice(0, most).map((image): QueueItem => ({ kind: 'photo', image })),
    ...problems.map((file): QueueItem => ({ kind: 'failed', file })),
  ]
  return all.sort(newestFirst).slice(0, most)
}
