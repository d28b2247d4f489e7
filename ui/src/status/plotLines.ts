/** What a plot draws of a series. */

import type { Series } from './plotSeries'

export interface Point {
  /** seconds since 1970 */
  readonly at: number
  readonly value: number
}

/** The unbroken lines: each ends where nothing was measured. */
export function lines({ at, values }: Series): readonly (readonly Point[])[] {
  const found: Point[][] = [[]]
  for (const [index, value] of values.entries()) {
    if (value === null) found.push([])
    else found.at(-1)?.push({ at: at[index] ?? 0, value })
  }
  return found.filter((line) => line.length > 0)
}

/**
 * Round values for the lines of an axis, from 0.
 *
 * @param top the value at its end
 * @param apart how far apart they are at the least
 */
export function marks(top: number, apart: number): readonly number[] {
  const power = 10 ** Math.floor(Math.log10(apart))
  const step = power * ([1, 2, 2.5, 5].find((each) => each * power >= apart) ?? 10)
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step)
}

/** The point of a series that is nearest to a time; null if it has none, or nothing was measured there. */
export function nearest({ at, values }: Series, time: number): Point | null {
  let best = -1
  for (const [index, each] of at.entries()) if (best < 0 || Math.abs(each - time) < Math.abs((at[best] ?? 0) - time)) best = index
  const value = values[best]
  return value == null ? null : { at: at[best] ?? 0, value }
}
