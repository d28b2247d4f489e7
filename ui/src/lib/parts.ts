/** Lists that the API gives in parts. */

interface Part<Item> {
  readonly items: readonly Item[]
  readonly total: number
}

type Key<Item> = (item: Item) => number

export const idOf = ({ id }: { readonly id: number }): number => id

/** Items, and below them those of others that are not among them. */
export function joined<Item>(items: readonly Item[], others: readonly Item[], key: Key<Item>): readonly Item[] {
  const known = new Set(items.map(key))
  return [...items, ...others.filter((item) => !known.has(key(item)) && known.add(key(item)))]
}

/**
 * Reads the first `count` items of a list.
 *
 * @param most the API gives so many at once
 * @returns the first part's answer with the items of all parts, each once: the list may move between two answers
 */
export async function readFirst<Item, Answer extends Part<Item>>(
  count: number,
  most: number,
  part: (limit: number, offset: number) => Promise<Answer & Part<Item>>,
  key: Key<Item>,
): Promise<Answer> {
  const offsets = Array.from({ length: Math.ceil(count / most) - 1 }, (_, place) => (place + 1) * most)
  const [first, ...others] = await Promise.all([part(Math.min(most, count), 0), ...offsets.map((offset) => part(Math.min(most, count - offset), offset))])
  return { ...first, items: joined(first.items, others.flatMap(({ items }) => items), key) }
}
