/** The popup's cards. */

import type { ImageOut, PlaceProblem } from '../api/types'

export type Card = { readonly kind: 'photo'; readonly image: ImageOut } | { readonly kind: 'failed'; readonly file: PlaceProblem }

/** Cards the popup can be paged through. */
export const MOST_CARDS = 8

function at(card: Card): number {
  return Date.parse(card.kind === 'photo' ? card.image.indexed_at : card.file.at)
}

export function cardKey(card: Card): string {
  return card.kind === 'photo' ? `photo-${card.image.id}` : `failed-${card.file.place_id}`
}

/** For sorting: less than zero if `a` is newer. */
export function newestFirst(a: Card, b: Card): number {
  return at(b) - at(a)
}

/** The newest photos and failures, newest first. */
export function cards(images: readonly ImageOut[], problems: readonly PlaceProblem[], most = MOST_CARDS): Card[] {
  const all: Card[] = [
    ...images.slice(0, most).map((image): Card => ({ kind: 'photo', image })),
    ...problems.map((file): Card => ({ kind: 'failed', file })),
  ]
  return all.sort(newestFirst).slice(0, most)
}
