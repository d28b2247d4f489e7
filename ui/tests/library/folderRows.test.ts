import { expect, it } from 'vitest'

import { folderRows } from '../../src/library/folderRows'

const watched = [
  { path: '/a', name: 'a', images: 5, problem: null },
  { path: '/b', name: 'b', images: 0, problem: null },
]
const inside = new Map([
  ['/a', [{ path: '/a/x', name: 'x', images: 3, nested: true }, { path: '/a/y', name: 'y', images: 1, nested: false }]],
  ['/a/x', [{ path: '/a/x/z', name: 'z', images: 3, nested: false }]],
])

const seen = (expanded: string[]): string[] => folderRows(watched, inside, new Set(expanded)).map(({ path, level, expanded, parent }) => `${path} ${level} ${expanded} ${parent}`)

it('shows the folders inside those that are open', () => {
  expect(seen([])).toEqual(['/a 1 false -1', '/b 1 null -1'])
  expect(seen(['/a', '/a/x'])).toEqual(['/a 1 true -1', '/a/x 2 true 0', '/a/x/z 3 null 1', '/a/y 2 null 0', '/b 1 null -1'])
  expect(seen(['/a/x'])).toEqual(['/a 1 false -1', '/b 1 null -1'])
})

it('offers no opening where nothing was found inside', () => {
  const empty = new Map([['/a', []]])
  expect(folderRows(watched, empty, new Set(['/a']))[0]?.expanded).toBeNull()
})
