import { describe, expect, it } from 'vitest'

import { everything, NOTHING, only, range, remaining, toggle, walk } from '../../src/lib/selection'

const ORDER = [50, 40, 30, 20, 10]
const placeOf = (id: number): number => ORDER.indexOf(id)
const chosen = (selection: { ids: ReadonlySet<number> }): number[] => [...selection.ids].sort()

describe('a selection', () => {
  it('is one photo after a click, and more with Ctrl', () => {
    expect(chosen(only(30))).toEqual([30])
    expect(chosen(toggle(only(30), 10))).toEqual([10, 30])
    expect(chosen(toggle(toggle(only(30), 10), 10))).toEqual([30])
  })

  it('reaches from the anchor with Shift, in either direction, and the anchor stays', () => {
    const down = range(only(40), ORDER, placeOf, 20)
    expect(chosen(down)).toEqual([20, 30, 40])
    expect(chosen(range(down, ORDER, placeOf, 50))).toEqual([40, 50])
  })

  it('begins a range where the keyboard walked to', () => {
    expect(chosen(range(walk(NOTHING, 40), ORDER, placeOf, 30))).toEqual([30, 40])
  })

  it('falls back to one photo when the anchor is gone', () => {
    expect(chosen(range(only(99), ORDER, placeOf, 20))).toEqual([20])
  })

  it('can be everything, and loses what is no longer shown', () => {
    const all = everything(NOTHING, ORDER)
    expect(all.ids.size).toBe(5)
    expect(all.active).toBe(50)
    const left = remaining(all, (id) => (id > 30 ? 0 : -1), ORDER)
    expect(chosen(left)).toEqual([40, 50])
    expect(remaining(only(30), () => -1, ORDER)).toEqual(NOTHING)
  })

  it('leaves the keyboard beside what is no longer shown: after it, or at the end before it', () => {
    expect(remaining(only(30), (id) => (id === 30 || id === 20 ? -1 : 0), ORDER)).toEqual({ ...NOTHING, active: 10 })
    expect(remaining(only(10), (id) => (id < 30 ? -1 : 0), ORDER)).toEqual({ ...NOTHING, active: 30 })
  })
})
