import { expect, it } from 'vitest'

import { withBoth } from '../../src/people/notes'

it('saves what was typed if no one else wrote', () => {
  expect(withBoth('Aunt', 'Aunt of Mei', 'Aunt')).toBe('Aunt of Mei')
  expect(withBoth('Aunt', '', 'Aunt')).toBe('')
})

it('keeps what someone else wrote, and adds to it', () => {
  expect(withBoth('', 'Class 4b', 'Call the parents')).toBe('Call the parents\nClass 4b')
  expect(withBoth('Aunt', 'Aunt, class 4b', 'Aunt. Call her')).toBe('Aunt. Call her\n, class 4b')
  expect(withBoth('Aunt', 'Uncle', 'Aunt. Call her')).toBe('Aunt. Call her\nUncle')
})

it('says nothing twice', () => {
  expect(withBoth('', 'Class 4b', 'Class 4b')).toBe('Class 4b')
  expect(withBoth('Aunt', 'Aunt ', 'Aunt. Call her')).toBe('Aunt. Call her')
})
