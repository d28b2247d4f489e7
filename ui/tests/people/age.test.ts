import { expect, it } from 'vitest'

import { underFourteen } from '../../src/people/age'

it('a guardian decides until the fourteenth birthday', () => {
  expect(underFourteen('2012-11-15', new Date(2026, 10, 14, 12))).toBe(true)
  expect(underFourteen('2012-11-15', new Date(2026, 10, 15, 12))).toBe(false)
  expect(underFourteen(null, new Date(2026, 10, 15))).toBe(false)
})
