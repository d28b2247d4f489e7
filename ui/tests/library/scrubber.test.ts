import { describe, expect, it } from 'vitest'

import { monthAt, monthsOf, yearMarks } from '../../src/library/scrubber'

const day = (text: string): number => Date.parse(`${text}T00:00:00Z`) / 86_400_000

const headings = [
  { day: day('2026-03-02'), top: 0 },
  { day: day('2026-03-01'), top: 200 },
  { day: day('2026-01-31'), top: 400 },
  { day: day('2025-12-31'), top: 700 },
  { day: day('2019-12-30'), top: 1_000 },
]

describe('the dates beside the grid', () => {
  const months = monthsOf(headings)

  it('has each month once, where its first photos are', () => {
    expect(months).toEqual([
      { year: 2026, month: 2, top: 0 },
      { year: 2026, month: 0, top: 400 },
      { year: 2025, month: 11, top: 700 },
      { year: 2019, month: 11, top: 1_000 },
    ])
    expect(monthsOf([])).toEqual([])
  })

  it('knows the month at every offset', () => {
    expect([-5, 0, 399, 400, 699, 9_999].map((top) => monthAt(months, top))).toEqual([0, 0, 0, 1, 1, 3])
  })

  it('names years along the track, and none over another', () => {
    expect(yearMarks(months, 1_000, 500, 20)).toEqual([{ year: 2026, at: 0 }, { year: 2025, at: 350 }, { year: 2019, at: 500 }])
    expect(yearMarks(months, 1_000, 50, 20).map(({ year }) => year)).toEqual([2026, 2025])
    expect(yearMarks(months, 500, 100, 1).every(({ at }) => at <= 100)).toBe(true)
  })
})
