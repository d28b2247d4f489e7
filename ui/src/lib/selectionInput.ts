/** Selecting in a grid by keyboard and pointer, as in a file manager. */

import type { Direction } from './layout'
import { everything, only, range, toggle, walk, type Selection } from './selection'

export interface Choosable {
  readonly selection: Selection
  /** all ids, as they are shown */
  readonly ids: ArrayLike<number>
  /** an id's place among them; -1 if it has none */
  readonly placeOf: (id: number) => number
  /** arrows go from one to the next without choosing it */
  readonly walks?: boolean
  /** the space bar leaves the others chosen */
  readonly adds?: boolean
}

export interface Click {
  readonly id: number
  readonly at: number
}

const DOUBLE_CLICK_MS = 400
const KEYS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  PageUp: 'page_up',
  PageDown: 'page_down',
  Home: 'first',
  End: 'last',
}

/** What is chosen after a click; null if it opens: the second of two, or a finger's first. @param mark it was on the mark that chooses one more */
export function click(event: MouseEvent, id: number, mark: boolean, before: Click | null, { selection, ids, placeOf }: Choosable): Selection | null {
  if (event.shiftKey) return range(selection, ids, placeOf, id)
  if (event.ctrlKey || event.metaKey || mark) return toggle(selection, id)
  if ((event as Partial<PointerEvent>).pointerType === 'touch') return null
  return before?.id === id && event.timeStamp - before.at < DOUBLE_CLICK_MS ? null : only(id)
}

/**
 * What a key makes of the selection, and the place that comes into view with it; null if the key means nothing here.
 *
 * @param at the place that the keyboard is at
 * @param step from a place to another
 */
export function press(
  event: KeyboardEvent,
  at: number,
  step: (place: number, direction: Direction) => number,
  { selection, ids, placeOf, walks = false, adds = false }: Choosable,
): { readonly selection: Selection; readonly place?: number } | null {
  const active = ids[at]
  if (active === undefined || event.altKey) return null
  const many = event.ctrlKey || event.metaKey
  const direction = KEYS[event.key]
  if (direction !== undefined) {
    // The first key only shows where one is.
    const place = selection.active === null ? at : step(at, direction)
    const id = ids[place] as number
    return { place, selection: event.shiftKey ? range(selection, ids, placeOf, id) : many || walks ? walk(selection, id) : only(id) }
  }
  if (event.key === ' ') return { selection: adds || many || selection.ids.size > 1 || selection.ids.has(active) ? toggle(selection, active) : only(active) }
  if (event.key.toLowerCase() === 'a' && many) return { selection: everything(selection, ids) }
  if (event.key === 'Escape' && selection.ids.size > 0) return { selection: { ...selection, ids: new Set() } }
  return null
}

/** What of the grid an event is about. */
export function aimedAt(target: EventTarget | null): { readonly id: number | null; readonly mark: boolean } {
  const element = target instanceof Element ? target : null
  const id = element?.closest<HTMLElement>('[data-id]')?.dataset['id']
  return { id: id === undefined ? null : Number(id), mark: element?.closest('.mark') != null }
}
