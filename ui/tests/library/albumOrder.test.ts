import { describe, expect, it } from 'vitest'

import { placeBefore, type Move } from '../../src/library/albumOrder'

const IDS = [1, 2, 3, 4, 5]
const before = (chosen: readonly number[], where: Move): number | null | undefined => placeBefore(IDS, new Set(chosen), where)

describe('photos that are moved in an album', () => {
  it('go one place earlier or later', () => {
    expect(before([3], 'earlier')).toBe(2)
    expect(before([3], 'later')).toBe(5)
    expect(before([4], 'later')).toBeNull()
  })

  it('go together, by the first or the last of them', () => {
    expect(before([3, 5], 'earlier')).toBe(2)
    expect(before([1, 3], 'earlier')).toBe(2)
    expect(before([1, 3], 'later')).toBe(5)
    expect(before([3, 5], 'later')).toBeNull()
  })

  it('stay at the ends', () => {
    expect(before([1, 2], 'earlier')).toBeUndefined()
    expect(before([4, 5], 'later')).toBeUndefined()
    expect(before([], 'later')).toBeUndefined()
    expect(before([9], 'later')).toBeUndefined()
  })

  it('go before or behind another one', () => {
    expect(before([5], { before: 1 })).toBe(1)
    expect(before([1], { behind: 5 })).toBeNull()
    expect(before([1], { behind: 3 })).toBe(4)
    expect(before([1, 4], { before: 4 })).toBe(5)
  })

  it('stay where they are dropped on themselves', () => {
    expect(before([2, 3], { before: 3 })).toBeUndefined()
    expect(before([2], { behind: 1 })).toBeUndefined()
    expect(before([2], { before: 9 })).toBeUndefined()
  })
})
