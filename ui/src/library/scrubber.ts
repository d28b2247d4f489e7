/** The months of the grid and their positions on the track beside it, as arithmetic. */

import { localDay } from '../lib/dates'
import type { Heading } from '../lib/layout'

export interface Month {
  readonly year: number
  /** January is 0 */
  readonly month: number
  /** offset of its first photos from the top of the grid, in pixels */
  readonly top: number
}

export interface YearMark {
  readonly year: number
  /** offset from the top of the track, in pixels */
  readonly at: number
}

/** Months in the order of the photos; a month that comes twice, as after a sort by folder, is there twice. */
export function monthsOf(headings: readonly Pick<Heading, 'day' | 'top'>[]): readonly Month[] {
  const months: Month[] = []
  for (const { day, top } of headings) {
    const date = localDay(day)
    const last = months.at(-1)
    if (last?.year !== date.getFullYear() || last.month !== date.getMonth()) months.push({ year: date.getFullYear(), month: date.getMonth(), top })
  }
  return months
}

/** Index of the month at an offset; 0 above the first. */
export function monthAt(months: readonly Month[], top: number): number {
  let low = 0
  let high = months.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((months[middle] as Month).top <= top) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

/**
 * The years' names along the track, none closer to the one before than `apart`.
 *
 * @param scroll how far the grid can be scrolled, in pixels
 * @param track length of the track, up to where a name may begin
 */
export function yearMarks(months: readonly Month[], scroll: number, track: number, apart: number): readonly YearMark[] {
  const marks: YearMark[] = []
  let before: number | null = null
  for (const { year, top } of months) {
    if (year === before) continue
    before = year
    const at = Math.min(track, (top / scroll) * track)
    const last = marks.at(-1)
    if (last === undefined || at - last.at >= apart) marks.push({ year, at })
  }
  return marks
}
