/** Where photos go that are moved in an album by hand. */

/** one place earlier or later, before a photo, or behind one */
export type Move = 'earlier' | 'later' | { readonly before: number } | { readonly behind: number }

/** The photo that they are put before; null for the end, undefined if they would stay where they are. */
export function placeBefore(ids: ArrayLike<number>, chosen: ReadonlySet<number>, where: Move): number | null | undefined {
  const places = Array.from(ids, (id, place) => (chosen.has(id) ? place : -1)).filter((place) => place >= 0)
  const [first] = places
  const last = places.at(-1)
  if (first === undefined || last === undefined) return undefined
  const together = last - first === places.length - 1
  /** the first at or behind that place that stays */
  const stays = (from: number): number | null => {
    for (let place = from; place < ids.length; place++) if (!chosen.has(ids[place] as number)) return ids[place] as number
    return null
  }
  if (where === 'earlier') return first === 0 && together ? undefined : stays(Math.max(0, first - 1))
  if (where === 'later') return last === ids.length - 1 && together ? undefined : stays(last + 2)
  const target = Array.prototype.indexOf.call(ids, 'before' in where ? where.before : where.behind) as number
  if (target < 0) return undefined
  const at = 'before' in where ? target : target + 1
  return together && at >= first && at <= last + 1 ? undefined : stays(at)
}
