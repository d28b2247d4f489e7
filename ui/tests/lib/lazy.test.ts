import { describe, expect, it, vi } from 'vitest'

import { Lazy } from '../../src/lib/lazy.svelte'

function lazy(source: () => Promise<string>) {
  const reload = vi.fn()
  const parts = new Lazy<string>(reload)
  parts.from(source)
  return { parts, reload }
}

describe('lazy parts', () => {
  it('are there once they are loaded', async () => {
    const { parts } = lazy(() => Promise.resolve('parts'))
    expect(parts.parts).toBeNull()
    await parts.load()
    expect(parts.parts).toBe('parts')
  })

  it('that could not be loaded are not loaded again by themselves', async () => {
    const source = vi.fn(() => Promise.reject<string>(new TypeError('gone')))
    const { parts, reload } = lazy(source)
    await parts.load()
    expect(source).toHaveBeenCalledTimes(1)
    expect(parts.failed).toBe(true)
    expect(reload).not.toHaveBeenCalled()
  })

  it('that could not be loaded come with the whole page when they are asked for again', async () => {
    const source = vi.fn(() => Promise.reject<string>(new TypeError('gone')))
    const { parts, reload } = lazy(source)
    await parts.load()
    await parts.load()
    expect(source).toHaveBeenCalledTimes(1)
    expect(reload).toHaveBeenCalledTimes(1)
  })
})
