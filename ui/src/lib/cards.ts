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

/** The newest photos and failures, newest first. */
export function cards(images: readonly ImageOut[], problems: readonly PlaceProblem[]): Card[] {
  const all: Card[] = [
    ...images.slice(0, MOST_CARDS).map((image): Card => ({ kind: 'photo', image })),
    ...problems.map((file): Card => ({ kind: 'failed', file })),
  ]
  return all.sort((a, b) => at(b) - at(a)).slice(0, MOST_CARDS)
}

/** The card to show: the one that was being looked at, as long as it is there and nothing newer asks to be seen. */
export function position(all: readonly Card[], key: string | null): number {
  return Math.max(0, all.findIndex((card) => cardKey(card) === key))
}
