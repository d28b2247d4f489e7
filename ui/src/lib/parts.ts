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

/**
 * Reads the items that follow those that are known. Where the last known item is not where it was, others have come or gone above it,
 * and a place counted from the known items would skip some: then all are read again.
 *
 * @param unknown so many items of the list are not among the known ones and stand above the end of these
 * @returns the answer with the known items and about `count` more
 */
export async function readNext<Item, Answer extends Part<Item>>(
  known: readonly Item[],
  count: number,
  most: number,
  part: (limit: number, offset: number) => Promise<Answer & Part<Item>>,
  key: Key<Item>,
  unknown = 0,
): Promise<Answer> {
  const last = known.at(-1)
  if (last !== undefined) {
    const next = await part(Math.min(most, count + 1), known.length + unknown - 1)
    const [first] = next.items
    if (first !== undefined && key(first) === key(last)) return { ...next, items: joined(known, next.items, key) }
  }
  return readFirst(known.length + unknown + count, most, part, key)
}
