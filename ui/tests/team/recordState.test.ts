import * as record from 'virtual:texts/record'
import { describe, expect, it, vi } from 'vitest'

import type { RecordFilter } from '../../src/api/teamApi'
import type { RecordEntry, RecordPage } from '../../src/api/types'
import { extend, texts } from '../../src/lib/i18n'
import { actionText, ACTIONS } from '../../src/team/actions'
import { RecordState } from '../../src/team/recordState.svelte'

const entry = (id: number): RecordEntry => ({ id, at: '2026-11-29T04:00:00Z', actor: '', action: 'named', subject: null, number: 1, detail: '', libraries: [] })
const page = (ids: readonly number[], before: number | null = null): RecordPage => ({ items: ids.map(entry), before })
const app = { read: (reading: () => Promise<void>) => reading() }

describe('the record', () => {
  it('goes on with older entries below those that are shown, until there are none', async () => {
    const ask = vi.fn((_: RecordFilter, before: number | null) => Promise.resolve(before === null ? page([9, 8], 8) : page([7])))
    const state = new RecordState(app, { record: ask })
    await state.read()
    expect(state.more).toBe(true)
    await state.goOn()
    expect(state.items.map(({ id }) => id)).toEqual([9, 8, 7])
    expect(state.more).toBe(false)
    await state.goOn()
    expect(ask).toHaveBeenCalledTimes(2)
  })

  it('keeps the older entries that are shown when it is read again', async () => {
    let newest = 9
    const ask = vi.fn((_: RecordFilter, before: number | null) => {
      const from = before === null ? newest : before - 1
      return Promise.resolve(page([from, from - 1], from > 3 ? from - 1 : null))
    })
    const state = new RecordState(app, { record: ask })
    await state.read()
    await state.goOn()
    expect(state.items.map(({ id }) => id)).toEqual([9, 8, 7, 6])
    newest = 10
    await state.read()
    expect(state.items.map(({ id }) => id)).toEqual([10, 9, 8, 7, 6, 5])
    await state.narrow({ action: 'merged' })
    expect(state.items.map(({ id }) => id)).toEqual([10, 9])
  })

  it('takes older entries that were asked for before it was read again', async () => {
    const answers: ((found: RecordPage) => void)[] = []
    const state = new RecordState(app, { record: () => new Promise((resolve) => answers.push(resolve)) })
    const read = state.read()
    answers[0]?.(page([9, 8], 8))
    await read
    const [older, again] = [state.goOn(), state.read()]
    answers[2]?.(page([9, 8], 8))
    await again
    answers[1]?.(page([7, 6], 6))
    await older
    expect(state.items.map(({ id }) => id)).toEqual([9, 8, 7, 6])
  })

  it('shows what the last filter found, whichever answer comes last', async () => {
    const answers: ((found: RecordPage) => void)[] = []
    const state = new RecordState(app, { record: () => new Promise((resolve) => answers.push(resolve)) })
    const [first, second] = [state.read(), state.narrow({ action: 'merged' })]
    answers[1]?.(page([5]))
    await second
    answers[0]?.(page([9, 8]))
    await first
    expect(state.items.map(({ id }) => id)).toEqual([5])
  })

  it('drops older entries of a filter that was changed meanwhile', async () => {
    const answers: ((found: RecordPage) => void)[] = []
    const state = new RecordState(app, { record: () => new Promise((resolve) => answers.push(resolve)) })
    const read = state.read()
    answers[0]?.(page([9], 9))
    await read
    const [older, narrowed] = [state.goOn(), state.narrow({ actor: 'm1' })]
    answers[2]?.(page([4]))
    await narrowed
    answers[1]?.(page([8]))
    await older
    expect(state.items.map(({ id }) => id)).toEqual([4])
  })

  it('says actions in words, and those it does not know by their names', () => {
    extend(record)
    expect(ACTIONS).toContain('forgotten')
    expect(actionText('forgotten', texts('en'))).toBe('forgot the person')
    expect(actionText('forgotten', texts('zh-CN'))).not.toBe('forgotten')
    expect(actionText('teleported', texts('en'))).toBe('teleported')
  })
})
