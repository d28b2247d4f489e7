import { describe, expect, it } from 'vitest'

import { justify, type Row } from '../src/lib/grid'

const ratio = (item: number): number => item
const widthOf = (row: Row<number>, gap: number): number => row.tiles.reduce((sum, tile) => sum + tile.width, gap * (row.tiles.length - 1))

describe('justify', () => {
  it('fills the width with every row but the last', () => {
    const rows = justify([1.5, 0.75, 1.33, 1.5, 1, 1.78, 0.67, 1.5, 1.5], ratio, 700, 150, 4)
    for (const row of rows.slice(0, -1)) expect(widthOf(row, 4)).toBeCloseTo(700)
    expect(widthOf(rows.at(-1) as Row<number>, 4)).toBeLessThanOrEqual(700.01)
  })

  it('keeps every photo, in order', () => {
    const items = Array.from({ length: 23 }, (_, index) => 0.5 + (index % 7) * 0.4)
    expect(justify(items, ratio, 500, 150, 4).flatMap((row) => row.tiles.map((tile) => tile.item))).toEqual(items)
  })

  it('does not stretch a last, lonely photo', () => {
    expect(justify([1.5], ratio, 1200, 150, 4)).toEqual([{ height: 150, tiles: [{ item: 1.5, width: 225 }] }])
  })

  it('holds extreme shapes and broken ones in bounds', () => {
    const rows = justify([30, 0.01, Number.NaN], ratio, 800, 150, 4)
    for (const row of rows) expect(row.height).toBeGreaterThan(90)
    expect(rows.flatMap((row) => row.tiles)).toHaveLength(3)
  })
})
