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

/** Without the photos that are no longer shown. */
export function remaining(selection: Selection, placeOf: (id: number) => number): Selection {
  const there = (id: number | null): number | null => (id !== null && placeOf(id) >= 0 ? id : null)
  const ids = new Set([...selection.ids].filter((id) => placeOf(id) >= 0))
  return { ids, anchor: there(selection.anchor), active: there(selection.active) }
}
