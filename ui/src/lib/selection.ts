/** The selection of photos or faces, as in a file manager. */

export interface Selection {
  readonly ids: ReadonlySet<number>
  /** where a range begins */
  readonly anchor: number | null
  /** where the keyboard is */
  readonly active: number | null
}

export const NOTHING: Selection = { ids: new Set(), anchor: null, active: null }

export function only(id: number): Selection {
  return { ids: new Set([id]), anchor: id, active: id }
}

/** In or out, the others stay. */
export function toggle(selection: Selection, id: number): Selection {
  const ids = new Set(selection.ids)
  if (!ids.delete(id)) ids.add(id)
  return { ids, anchor: id, active: id }
}

/** The keyboard goes there and chooses nothing. */
export function walk(selection: Selection, id: number): Selection {
  return { ...selection, active: id }
}

/**
 * Everything from the anchor to a photo.
 *
 * @param order all ids, as they are shown
 * @param placeOf an id's place in the order; -1 if it has none
 */
export function range(selection: Selection, order: ArrayLike<number>, placeOf: (id: number) => number, id: number): Selection {
  const to = placeOf(id)
  const anchor = selection.anchor ?? selection.active ?? id
  const from = placeOf(anchor)
  if (from < 0 || to < 0) return only(id)
  const ids = new Set<number>()
  for (let place = Math.min(from, to); place <= Math.max(from, to); place++) ids.add(order[place] as number)
  return { ids, anchor, active: id }
}

export function everything(selection: Selection, order: ArrayLike<number>): Selection {
  return { ids: new Set(Array.from(order)), anchor: selection.anchor, active: selection.active ?? order[0] ?? null }
}

/** The first at a place of a list or after it that stays, else the last one before it; null if none does. */
export function nearest(ids: ArrayLike<number>, place: number, stays: (id: number) => boolean): number | null {
  const at = Math.max(0, place)
  for (let after = at; after < ids.length; after++) if (stays(ids[after] as number)) return ids[after] as number
  for (let before = Math.min(at, ids.length) - 1; before >= 0; before--) if (stays(ids[before] as number)) return ids[before] as number
  return null
}

/**
 * Without what is no longer shown; the keyboard goes on beside it.
 *
 * @param before all ids, as they were shown
 */
export function remaining(selection: Selection, placeOf: (id: number) => number, before: ArrayLike<number>): Selection {
  const stays = (id: number): boolean => placeOf(id) >= 0
  const { ids, anchor, active } = selection
  const goesOn = active === null || stays(active) ? active : nearest(before, Array.prototype.indexOf.call(before, active), stays)
  return { ids: new Set([...ids].filter(stays)), anchor: anchor !== null && stays(anchor) ? anchor : null, active: goesOn }
}
