import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { texts as textsOf } from '../../src/lib/i18n'
import { Toasts } from '../../src/lib/toasts.svelte'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const texts = (toasts: Toasts): string[] => toasts.list.map(({ text }) => text)

describe('Toasts', () => {
  it('go by themselves, unless they are looked at', () => {
    const toasts = new Toasts({ t: textsOf('en') })
    toasts.show('a')
    toasts.show('b')
    toasts.hold(1)
    vi.advanceTimersByTime(60_000)
    expect(texts(toasts)).toEqual(['a'])
    toasts.release(1)
    vi.advanceTimersByTime(60_000)
    expect(texts(toasts)).toEqual([])
  })

  it('redo a step that failed once more when it is asked for again', async () => {
    const toasts = new Toasts({ t: textsOf('en') })
    const redo = vi.fn(() => Promise.resolve(true)).mockResolvedValueOnce(false)
    toasts.note({ what: 'a', undo: () => Promise.resolve(true), redo })
    await toasts.undo()
    await toasts.redo()
    await toasts.redo()
    expect(redo).toHaveBeenCalledTimes(2)
    expect(texts(toasts).at(-1)).toBe('Redone: a')
  })

  it('are never more than three', () => {
    const toasts = new Toasts({ t: textsOf('en') })
    for (const text of 'abcd') toasts.show(text)
    expect(texts(toasts)).toEqual(['b', 'c', 'd'])
  })

  it('undo the latest step, once, also after its message went', async () => {
    const toasts = new Toasts({ t: textsOf('en') })
    const undo = vi.fn(() => Promise.resolve(true))
    toasts.show('a', undo)
    toasts.show('b')
    vi.advanceTimersByTime(60_000)
    await toasts.undo()
    expect(texts(toasts)).toEqual(['Undone: a'])
    await toasts.undo()
    expect(undo).toHaveBeenCalledOnce()
    expect(texts(toasts).at(-1)).toBe('There is nothing to undo here')
  })

  it('undo the step of one message', async () => {
    const toasts = new Toasts({ t: textsOf('en') })
    const undone: string[] = []
    for (const what of 'ab') toasts.show(what, () => Promise.resolve(undone.push(what) > 0))
    await toasts.undo(toasts.list[0]?.step ?? undefined)
    await toasts.undo()
    expect(undone).toEqual(['a', 'b'])
  })

  it('say what became of an older step: only a part was left to undo, or nothing', async () => {
    const toasts = new Toasts({ t: textsOf('en') })
    toasts.show('a', () => Promise.resolve('partly'))
    toasts.show('b', () => Promise.resolve('gone'))
    await toasts.undo(toasts.list[0]?.step ?? undefined)
    expect(texts(toasts).at(-1)).toBe('Undone in part: a. What was changed since stays.')
    await toasts.undo(toasts.list[0]?.step ?? undefined)
    expect(texts(toasts).at(-1)).toBe('Nothing was undone: “b” was undone already, or changed since.')
  })
})
