import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Toasts } from '../src/toasts.svelte'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const texts = (toasts: Toasts): string[] => toasts.list.map(({ text }) => text)

describe('Toasts', () => {
  it('go by themselves, unless they are looked at', () => {
    const toasts = new Toasts()
    toasts.show('a')
    toasts.show('b')
    toasts.hold(1)
    vi.advanceTimersByTime(60_000)
    expect(texts(toasts)).toEqual(['a'])
    toasts.release(1)
    vi.advanceTimersByTime(60_000)
    expect(texts(toasts)).toEqual([])
  })

  it('are never more than three', () => {
    const toasts = new Toasts()
    for (const text of 'abcd') toasts.show(text)
    expect(texts(toasts)).toEqual(['b', 'c', 'd'])
  })

  it('take back the latest that can be taken back, once', () => {
    const toasts = new Toasts()
    const undo = vi.fn()
    toasts.show('a', undo)
    toasts.show('b')
    expect(toasts.undo()).toBe(true)
    expect(toasts.undo()).toBe(false)
    expect(undo).toHaveBeenCalledOnce()
    expect(texts(toasts)).toEqual(['b'])
  })
})
