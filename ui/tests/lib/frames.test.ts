import { describe, expect, it } from 'vitest'

import { frameAt, tabStop } from '../../src/lib/frames'

type Box = readonly [number, number, number, number]
const at = (x: number, y: number): Box => [x, y, 20, 20]
/** two rows, the second one staggered; the last is not there in this frame */
const ROWS = [at(0, 0), at(40, 3), at(80, 0), at(20, 40), at(60, 40), null]

describe('frames on a picture', () => {
  it('are gone through in their order by Left and Right, to the ends', () => {
    expect([frameAt('ArrowRight', 2, ROWS), frameAt('ArrowLeft', 3, ROWS)]).toEqual([3, 2])
    expect([frameAt('ArrowLeft', 0, ROWS), frameAt('ArrowRight', 4, ROWS)]).toEqual([0, 4])
    expect([frameAt('Home', 3, ROWS), frameAt('End', 1, ROWS)]).toEqual([0, 4])
  })

  it('lead to the nearest one above and below', () => {
    expect([frameAt('ArrowDown', 0, ROWS), frameAt('ArrowDown', 2, ROWS)]).toEqual([3, 4])
    expect([frameAt('ArrowUp', 4, ROWS), frameAt('ArrowUp', 1, ROWS)]).toEqual([1, 1])
  })

  it('leave other keys, and a single frame, to the page', () => {
    expect(frameAt('Enter', 0, ROWS)).toBeNull()
    expect(frameAt('ArrowRight', 0, [at(0, 0), null])).toBeNull()
  })

  it('are one Tab stop: the last one used, while it is there', () => {
    expect([tabStop(null, ROWS), tabStop(4, ROWS), tabStop(5, ROWS), tabStop(9, ROWS)]).toEqual([0, 4, 0, 0])
  })
})
