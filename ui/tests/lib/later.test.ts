import { describe, expect, it, vi } from 'vitest'

import { Later, type Rest } from '../../src/lib/later.svelte'

const REST = {} as Rest

describe('the rest of the program', () => {
  it('is there once it has been read', async () => {
    const later = new Later(() => Promise.resolve(REST), vi.fn())
    expect(later.parts).toBeNull()
    await later.read()
    expect(later.parts).toBe(REST)
  })

  it('that could not be read is not asked for again by itself', async () => {
    const load = vi.fn(() => Promise.reject<Rest>(new TypeError('gone')))
    const startAnew = vi.fn()
    await new Later(load, startAnew).read()
    expect(load).toHaveBeenCalledTimes(1)
    expect(startAnew).not.toHaveBeenCalled()
  })

  it('that could not be read comes with the whole page when it is asked for again', async () => {
    const load = vi.fn(() => Promise.reject<Rest>(new TypeError('gone')))
    const startAnew = vi.fn()
    const later = new Later(load, startAnew)
    await later.read()
    await later.read()
    expect(load).toHaveBeenCalledTimes(1)
    expect(startAnew).toHaveBeenCalledTimes(1)
  })
})
