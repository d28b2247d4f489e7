import { describe, expect, it } from 'vitest'

import { TileSlots } from '../../src/library/tileSlots'

describe('slots', () => {
  it('stay with their photo, and go over to another when it has gone', () => {
    const slots = new TileSlots()
    expect(slots.assign([10, 11, 12])).toEqual([0, 1, 2])
    expect(slots.assign([11, 12, 13])).toEqual([1, 2, 0])
    expect(slots.assign([12, 13])).toEqual([2, 0])
    expect(slots.assign([12, 13, 14, 15])).toEqual([2, 0, 1, 3])
  })

  it('keep their order where all photos are others', () => {
    const slots = new TileSlots()
    slots.assign([1, 2, 3, 4])
    expect(slots.assign([101, 102, 103, 104])).toEqual([0, 1, 2, 3])
    expect(slots.assign([103, 104, 105, 106])).toEqual([2, 3, 0, 1])
    expect(slots.assign([1, 2, 3, 4])).toEqual([2, 3, 0, 1])
    expect(slots.assign([101, 102])).toEqual([2, 3])
    expect(slots.assign([1, 2, 3, 4, 5])).toEqual([2, 3, 0, 1, 4])
  })

  it('are never shared', () => {
    const slots = new TileSlots()
    for (let first = 0; first < 200; first += 7) {
      const given = slots.assign(Array.from({ length: 20 + (first % 11) }, (_, index) => first + index))
      expect(new Set(given).size).toBe(given.length)
    }
  })
})
