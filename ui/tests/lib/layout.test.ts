import { describe, expect, it } from 'vitest'

import { headingOf, layout, neighbour, rowOf, spanOf, type Day } from '../../src/lib/layout'

const MEASURES = { ideal: 150, gap: 4, heading: 40 }
const DAYS: readonly Day[] = [
  { day: 20_406, count: 7 },
  { day: 20_400, count: 3 },
]
const RATIOS = [133, 178, 75, 133, 133, 100, 375, 133, 133, 50]

describe('layout', () => {
  it('fills the width with each full row, at one height near the ideal', () => {
    const grid = layout(Array(200).fill(133), [{ day: 1, count: 200 }], 1000, MEASURES)
    for (let row = 0; row < grid.rows - 1; row++) {
      const last = (grid.firsts[row + 1] as number) - 1
      expect((grid.lefts[last] as number) + (grid.widths[last] as number)).toBeCloseTo(1000, 1)
      expect(grid.heights[row]).toBeGreaterThan(100)
      expect(grid.heights[row]).toBeLessThan(175)
    }
  })

  it('places every photo once and in order, and begins a row with each day', () => {
    const grid = layout(RATIOS, DAYS, 700, MEASURES)
    expect([...grid.firsts]).toEqual([...grid.firsts].sort((a, b) => a - b))
    expect(grid.firsts[grid.rows]).toBe(10)
    expect([...grid.firsts]).toContain(7)
    expect(grid.headings.map(({ day }) => day)).toEqual([20_406, 20_400])
    expect((grid.headings[1]?.top ?? 0) + 40).toBeCloseTo(grid.tops[rowOf(grid, 7)] as number)
  })

  it('keeps the usual height for a day’s last row, and bounds a panorama', () => {
    const grid = layout([133, 2000], [{ day: 1, count: 1 }, { day: 2, count: 1 }], 1000, MEASURES)
    expect(grid.heights[0]).toBe(150)
    expect(grid.widths[1]).toBe(600)
  })

  it('has no headings for photos in an order of their own', () => {
    const grid = layout([100, 100, 100], [], 1000, MEASURES)
    expect([grid.headings, grid.rows, grid.tops[0], Array.from(grid.firsts)]).toEqual([[], 1, 0, [0, 3]])
    expect(headingOf(grid, 1)).toBeUndefined()
  })

  it('survives an empty library, no width, and a photo without a size', () => {
    expect(layout([], [], 1000, MEASURES).height).toBe(0)
    const none = layout([0, 133], [{ day: 1, count: 2 }], 0, MEASURES)
    expect(none.rows).toBeGreaterThan(0)
  })

  it('lays out a hundred thousand photos', () => {
    const count = 100_000
    const ratios = Uint16Array.from({ length: count }, (_, index) => 60 + ((index * 37) % 160))
    const grid = layout(ratios, Array.from({ length: 5_000 }, () => ({ day: 1, count: 20 })), 1000, MEASURES)
    expect(grid.firsts[grid.rows]).toBe(count)
    expect(grid.headings).toHaveLength(5_000)
  })
})

describe('headingOf', () => {
  it('is the day a photo is of, which reaches to where the next one begins', () => {
    const grid = layout(RATIOS, DAYS, 700, MEASURES)
    expect([0, 6, 7, 9].map((index) => headingOf(grid, index)?.day)).toEqual([20_406, 20_406, 20_400, 20_400])
    expect(grid.headings[0]?.bottom).toBe(grid.headings[1]?.top)
    expect(grid.headings[1]?.bottom).toBe(grid.height)
    expect(headingOf(layout([], [], 700, MEASURES), 0)).toBeUndefined()
  })
})

describe('spanOf', () => {
  it('names exactly the rows that touch the window', () => {
    const grid = layout(RATIOS, DAYS, 700, MEASURES)
    expect(spanOf(grid, 0, grid.height)).toEqual({ first: 0, end: 10, firstHeading: 0, endHeading: 2 })
    const second = spanOf(grid, grid.headings[1]?.top ?? 0, grid.height)
    expect(second.first).toBe(7)
    expect(spanOf(grid, -500, -100).end).toBe(0)
  })
})

describe('neighbour', () => {
  const grid = layout(RATIOS, DAYS, 700, MEASURES)

  it('walks along and stays inside', () => {
    expect(neighbour(grid, 0, 'left', 500)).toBe(0)
    expect(neighbour(grid, 0, 'right', 500)).toBe(1)
    expect(neighbour(grid, 3, 'first', 500)).toBe(0)
    expect(neighbour(grid, 3, 'last', 500)).toBe(9)
    expect(neighbour(grid, 9, 'down', 500)).toBe(9)
    expect(neighbour(grid, 0, 'up', 500)).toBe(0)
  })

  it('goes to the nearest photo of the next row, and back', () => {
    const down = neighbour(grid, 0, 'down', 500)
    expect(rowOf(grid, down)).toBe(1)
    expect(neighbour(grid, down, 'up', 500)).toBe(0)
  })

  it('goes a page at a time', () => {
    const far = neighbour(grid, 0, 'page_down', 10_000)
    expect(rowOf(grid, far)).toBe(grid.rows - 1)
    expect(rowOf(grid, neighbour(grid, far, 'page_up', 10_000))).toBe(0)
  })
})
