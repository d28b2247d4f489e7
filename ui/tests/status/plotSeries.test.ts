import { describe, expect, it } from 'vitest'

import type { HistoryPoint } from '../../src/api/types'
import { engineMemory, latest, photosPerMinute, series } from '../../src/status/plotSeries'

function sample(second: number, over: Partial<HistoryPoint> = {}): HistoryPoint {
  return { at: new Date(1_800_000_000_000 + second * 1000).toISOString(), agent_mb: 90, engine_mb: 400, cpu_pct: 50, images: 0, ...over }
}

describe('series', () => {
  it('makes rates of counts', () => {
    const { values } = series([sample(0), sample(10, { images: 200 }), sample(30, { images: 200 })], photosPerMinute)
    expect(values).toEqual([0, 1200, 600])
  })

  it('has a gap where nothing was measured', () => {
    const { at, values } = series([sample(0), sample(10), sample(900)], engineMemory)
    expect(values).toEqual([400, 400, null, 400])
    expect(at).toEqual([...at].sort((a, b) => a - b))
  })

  it('tells a figure of this moment, not the one of an hour ago', () => {
    const line = series([sample(0), sample(10)], engineMemory)
    expect(latest(line, 1_800_000_015_000)).toBe(400)
    expect(latest(line, 1_800_003_600_000)).toBeNull()
    expect(latest(series([], engineMemory), 1_800_000_000_000)).toBeNull()
  })

  it('is empty without a history', () => {
    expect(series([], engineMemory)).toEqual({ at: [], values: [] })
  })
})
