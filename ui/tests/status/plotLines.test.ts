import { describe, expect, it } from 'vitest'

import { lines, marks, nearest } from '../../src/status/plotLines'

const SERIES = { at: [0, 10, 11, 900, 910], values: [1, 2, null, 3, 4] }

describe('the lines of a plot', () => {
  it('are broken where nothing was measured', () => {
    expect(lines(SERIES).map((line) => line.map(({ value }) => value))).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(lines({ at: [], values: [] })).toEqual([])
  })
})

describe('the marks of an axis', () => {
  it.each([
    [63, 25, [0, 25, 50]],
    [105, 41, [0, 50, 100]],
    [1260, 493, [0, 500, 1000]],
    [1890, 740, [0, 1000]],
    [210, 82, [0, 100, 200]],
    [63, 24.6, [0, 25, 50]],
  ])('up to %d are round', (top, apart, expected) => {
    expect(marks(top, apart)).toEqual(expected)
  })
})

describe('the point under the pointer', () => {
  it('is the nearest one', () => {
    expect(nearest(SERIES, 400)).toBeNull()
    expect(nearest(SERIES, 4)).toEqual({ at: 0, value: 1 })
    expect(nearest(SERIES, 5_000)).toEqual({ at: 910, value: 4 })
    expect(nearest({ at: [], values: [] }, 5)).toBeNull()
  })
})
