import { describe, expect, it, vi } from 'vitest'

import { idOf, readNext } from '../../src/lib/parts'

describe('the next part of a list', () => {
  const world = (count: number) => {
    const list = Array.from({ length: count }, (_, index) => ({ id: index + 1 }))
    const part = vi.fn((limit: number, offset: number) => Promise.resolve({ items: list.slice(offset, offset + limit), total: list.length }))
    return { list, part, known: list.slice(0, 10) }
  }

  it('is asked for once while nothing moved', async () => {
    const { list, part, known } = world(30)
    expect((await readNext(known, 10, 100, part, idOf)).items).toEqual(list.slice(0, 20))
    expect(part).toHaveBeenCalledTimes(1)
  })

  it('skips nothing when a known item has gone, and takes that one away', async () => {
    const { list, part, known } = world(30)
    list.splice(3, 1)
    const { items, total } = await readNext(known, 10, 100, part, idOf)
    expect(items.map(({ id }) => id)).toEqual([1, 2, 3, 5, ...Array.from({ length: 16 }, (_, index) => index + 6)])
    expect(total).toBe(29)
  })

  it('brings the items that came above', async () => {
    const { list, part, known } = world(30)
    list.unshift({ id: 99 })
    expect((await readNext(known, 10, 100, part, idOf)).items.map(({ id }) => id).slice(0, 3)).toEqual([99, 1, 2])
  })

  it('goes on below items that are left out of the known ones', async () => {
    const { list, part } = world(30)
    const known = list.slice(2, 10)
    expect((await readNext(known, 10, 100, part, idOf, 2)).items).toEqual(list.slice(2, 20))
  })

  it('is the first one where nothing is known, or nothing known is left', async () => {
    const { list, part, known } = world(30)
    expect((await readNext([], 10, 100, part, idOf)).items).toEqual(list.slice(0, 10))
    list.length = 0
    expect((await readNext(known, 10, 100, part, idOf)).items).toEqual([])
  })
})
