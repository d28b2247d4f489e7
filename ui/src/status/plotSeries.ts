/** The report's history as series of a plot. */

import type { HistoryPoint } from '../api/types'

export interface Series {
  /** seconds since 1970 */
  readonly at: readonly number[]
  /** null where nothing was measured: the line has a gap there */
  readonly values: readonly (number | null)[]
}

/** Points come every ten seconds; a larger gap means that nothing was measured. */
const GAP_S = 30

/**
 * A figure over time.
 *
 * @param valueOf the figure of a sample, given the seconds since the one before
 */
export function series(history: readonly HistoryPoint[], valueOf: (sample: HistoryPoint, seconds: number) => number): Series {
  const at: number[] = []
  const values: (number | null)[] = []
  let before: number | null = null
  for (const sample of history) {
    const now = Date.parse(sample.at) / 1000
    const apart = before === null ? 10 : Math.max(1, now - before)
    if (before !== null && apart > GAP_S) {
      at.push(before + 1)
      values.push(null)
    }
    at.push(now)
    values.push(valueOf(sample, apart))
    before = now
  }
  return { at, values }
}

/** The figure of this moment (milliseconds since 1970); null if the last measure is older than that. */
export function latest({ at, values }: Series, now: number): number | null {
  return now / 1000 - (at.at(-1) ?? 0) > GAP_S ? null : (values.at(-1) ?? null)
}

export const photosPerMinute = (sample: HistoryPoint, seconds: number): number => (60 * sample.images) / seconds
export const engineMemory = (sample: HistoryPoint): number => sample.engine_mb
export const processorUse = (sample: HistoryPoint): number => sample.cpu_pct
