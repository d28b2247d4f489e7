import { describe, expect, it } from 'vitest'

import { moved, nearer, showing, turned, WHOLE, zoomed } from '../../src/lib/zoom'

const view = { width: 800, height: 600 }
const fit = { x: 100, y: 0, width: 600, height: 600 }

describe('a zoom', () => {
  it('keeps the point under the pointer where it is', () => {
    const at = [400, 300] as const
    const near = nearer(WHOLE, 3, at, fit, view)
    const now = zoomed(fit, view, near)
    expect(near.scale).toBe(3)
    expect([(400 - now.x) / now.width, (300 - now.y) / now.height]).toEqual([0.5, 0.5])
    const nearest = nearer(near, 2, [500, 200], fit, view)
    const then = zoomed(fit, view, nearest)
    expect((500 - then.x) / then.width).toBeCloseTo((500 - now.x) / now.width)
    expect((200 - then.y) / then.height).toBeCloseTo((200 - now.y) / now.height)
  })

  it('ends at sixteen times and at the whole picture', () => {
    expect(nearer(WHOLE, 1000, [0, 0], fit, view).scale).toBe(16)
    expect(nearer(nearer(WHOLE, 2, [9, 9], fit, view), 0.1, [0, 0], fit, view)).toBe(WHOLE)
  })

  it('moves no further than just beyond the edges', () => {
    const near = nearer(WHOLE, 4, [400, 300], fit, view)
    expect(zoomed(fit, view, moved(near, [9_999, 9_999], fit, view))).toMatchObject({ x: 24, y: 24 })
    const far = zoomed(fit, view, moved(near, [-9_999, -9_999], fit, view))
    expect([far.x + far.width, far.y + far.height]).toEqual([776, 576])
    expect(moved(WHOLE, [50, 50], fit, view)).toBe(WHOLE)
  })

  it('shows a part that is out of view in the middle, and leaves one that is in view', () => {
    const near = nearer(WHOLE, 4, [400, 300], fit, view)
    expect(showing(near, { x: 0.48, y: 0.48, width: 0.04, height: 0.04 }, fit, view)).toBe(near)
    expect(showing(near, { x: 0.1, y: 0.2, width: 0.1, height: 0.1 }, fit, view)).toEqual({ scale: 4, x: expect.closeTo(0.15), y: 0.25 })
  })

  it('grows with the wheel turned away, in pixels and in lines', () => {
    expect(turned({ deltaY: -100, deltaMode: 0, ctrlKey: false })).toBeCloseTo(1.284)
    expect(turned({ deltaY: 3, deltaMode: 1, ctrlKey: false })).toBeLessThan(1)
    expect(turned({ deltaY: -10, deltaMode: 0, ctrlKey: true })).toBeGreaterThan(turned({ deltaY: -10, deltaMode: 0, ctrlKey: false }))
  })
})
