import { describe, expect, it } from 'vitest'

import { unpack } from '../../src/library/photoOrder'
import { packed } from '../fixtures'

describe('unpack', () => {
  it('reads ids, ratios and days', () => {
    const order = unpack(packed([7, 4_000_000_000, 3], [[20_406, 2], [-1, 1]]))
    expect([...order.ids]).toEqual([7, 4_000_000_000, 3])
    expect([...order.ratios]).toEqual([133, 133, 133])
    expect(order.days).toEqual([{ day: 20_406, count: 2 }, { day: -1, count: 1 }])
  })

  it('reads an empty library', () => {
    expect(unpack(packed([], []))).toMatchObject({ days: [] })
  })

  it('refuses an answer that ends early', () => {
    expect(() => unpack(packed([1, 2, 3], [[1, 3]]).slice(0, 20))).toThrow(RangeError)
  })
})
