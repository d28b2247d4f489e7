import { expect, it } from 'vitest'

import { stepped } from '../../src/lib/radios'

it('arrows go round, and other keys go nowhere', () => {
  expect([stepped('ArrowRight', 0, 3), stepped('ArrowDown', 2, 3), stepped('ArrowLeft', 0, 3), stepped('ArrowUp', 1, 3)]).toEqual([1, 0, 2, 0])
  expect([stepped('a', 0, 3), stepped('ArrowUp', 0, 0)]).toEqual([null, null])
})
