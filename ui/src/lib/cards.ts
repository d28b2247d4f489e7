/** The popup's cards, and how lists that grow at the front are kept. */

import type { ImageOut, ImagePage, PlaceProblem } from '../api/types'

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

/** The first page read anew, with what had been loaded behind it; that is dropped when the two no longer meet. */
export function mergeFirstPage(page: ImagePage, old: ImagePage): ImagePage {
  const ids = new Set(page.items.map((image) => image.id))
  const last = old.items.findLastIndex((image) => ids.has(image.id))
  if (last < 0 || page.next === null) return page
  const behind = old.items.slice(last + 1)
  return { items: [...page.items, ...behind], next: behind.length > 0 ? old.next : page.next }
}

/** An older page put behind what is there. */
export function append(old: ImagePage, page: ImagePage): ImagePage {
  const ids = new Set(old.items.map((image) => image.id))
  return { items: [...old.items, ...page.items.filter((image) => !ids.has(image.id))], next: page.next }
}
