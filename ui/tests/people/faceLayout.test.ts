import { describe, expect, it } from 'vitest'

import { sectionsBetween, cornerOf, neighbourFace, sectionsOf, squares } from '../../src/people/faceLayout'

// 7 and 2 squares of 100 with gaps of 10, three beside each other: rows at 40, 150, 260, then the second heading at 380.
const grid = squares(
  [
    { title: 'a', count: 7 },
    { title: 'b', count: 2 },
  ],
  320,
  { least: 90, gap: 10, heading: 40 },
)

describe('the squares', () => {
  it('fill the width under their headings', () => {
    expect(grid.columns).toBe(3)
    expect(grid.side).toBe(100)
    expect([0, 2, 3, 7].map((index) => cornerOf(grid, index))).toEqual([
      { left: 0, top: 40 },
      { left: 220, top: 40 },
      { left: 0, top: 150 },
      { left: 0, top: 420 },
    ])
    expect(grid.height).toBe(540)
  })

  it('are only those sectionsBetween two heights', () => {
    expect(sectionsBetween(grid, 0, 140)).toEqual({ first: 0, end: 3 })
    expect(sectionsBetween(grid, 160, 300)).toEqual({ first: 3, end: 7 })
    expect(sectionsBetween(grid, 300, 500)).toEqual({ first: 6, end: 9 })
    expect(sectionsBetween(grid, 540, 900)).toEqual({ first: 9, end: 9 })
    expect(sectionsBetween(squares([], 320, { least: 90, gap: 10, heading: 0 }), 0, 100)).toEqual({ first: 0, end: 0 })
  })

  it('are walked in all directions, over a heading too', () => {
    const from = (index: number, direction: Parameters<typeof neighbourFace>[2]): number => neighbourFace(grid, index, direction, 220)
    expect([from(0, 'left'), from(8, 'right'), from(4, 'first'), from(4, 'last')]).toEqual([0, 8, 0, 8])
    expect([from(4, 'up'), from(1, 'up'), from(8, 'up'), from(7, 'up')]).toEqual([1, 1, 6, 6])
    expect([from(1, 'down'), from(5, 'down'), from(6, 'down'), from(8, 'down')]).toEqual([4, 6, 7, 8])
    expect([from(0, 'page_down'), from(8, 'page_up')]).toEqual([6, 3])
  })
})

it('runs of the same title are a section', () => {
  expect(sectionsOf(['a', 'a', 'b', 'a'])).toEqual([
    { title: 'a', count: 2 },
    { title: 'b', count: 1 },
    { title: 'a', count: 1 },
  ])
})
