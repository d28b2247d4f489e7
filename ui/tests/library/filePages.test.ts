import { describe, expect, it, vi } from 'vitest'

import type { Client } from '../../src/api/client'
import type { PlaceProblem } from '../../src/api/types'
import { PAGE, FilePages } from '../../src/library/filePages.svelte'

/** A list of so many files, and what is asked for of it. */
function world(total: number) {
  const state = { total }
  const places = vi.fn((_: string, { limit, offset = 0 }: { limit: number; offset?: number }) =>
    Promise.resolve({
      items: Array.from({ length: Math.max(0, Math.min(limit, state.total - offset)) }, (_, index) => ({ place_id: offset + index }) as PlaceProblem),
      total: state.total,
    }),
  )
  const list = new FilePages({ places } as unknown as Pick<Client, 'places'>, { read: (work) => work() }, 'problems', '/photos')
  return { list, places, state }
}

const ids = (list: FilePages): number[] => (list.items ?? []).map(({ place_id }) => place_id)

describe('a long list of files', () => {
  it('holds one page of it, however long it is, and says where that is', async () => {
    const { list, places } = world(10_000)
    expect(list.items).toBeNull()
    await list.read()
    expect(places).toHaveBeenCalledWith('problems', { limit: PAGE, offset: 0, folder: '/photos' })
    expect([list.items?.length, list.first, list.last, list.total]).toEqual([PAGE, 1, PAGE, 10_000])
    await list.turn(1)
    expect([ids(list)[0], list.first, list.last]).toEqual([PAGE, PAGE + 1, 2 * PAGE])
    await list.turn(-1)
    await list.turn(-1)
    expect(list.first).toBe(1)
  })

  it('shows the last page there is when the list ends before the one that was looked at', async () => {
    const { list, state } = world(3 * PAGE)
    await list.read()
    await list.turn(1)
    await list.turn(1)
    state.total = PAGE + 5
    await list.read()
    expect([list.offset, list.items?.length]).toEqual([PAGE, 5])
    state.total = 0
    await list.read()
    expect([list.items, list.first, list.last]).toEqual([[], 0, 0])
  })

  it('shows the page that was turned to last, whichever answer comes first', async () => {
    const { list, places } = world(10 * PAGE)
    await list.read()
    await Promise.all([list.turn(1), list.turn(1)])
    expect(ids(list)[0]).toBe(2 * PAGE)
    expect(places.mock.lastCall?.[1].offset).toBe(2 * PAGE)
  })
})
