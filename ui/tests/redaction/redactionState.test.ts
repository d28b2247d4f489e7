import * as coverPage from 'virtual:texts/cover_page'
import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '../../src/api/client'
import type { MarkIo, Problem, RedactedOut, RedactionBatchOut, RedactionItems } from '../../src/api/types'
import { extend, texts } from '../../src/lib/i18n'
import { Toasts } from '../../src/lib/toasts.svelte'
import { Batches, BatchState, Editor } from '../../src/redaction/redactionState.svelte'

extend(coverPage)
const problem: Problem = { code: 'redact.disk_full', cause: 'C', remedy: 'R', params: {} }
const gone = (): Promise<never> => Promise.reject(new ApiError(404, problem))
const wait = (): Promise<void> => Promise.resolve()
const batch = (planned: number, over: Partial<RedactionBatchOut> = {}): RedactionBatchOut => ({ uid: 'a', at: '2026-11-14T10:00:00Z', folder: null, planned, done: 0, needs_review: 0, failed: 0, stopped: 0, out: '/home/mei/safe', style: 'solid', keep: [], keep_consented: false, only: null, sample: null, ...over })
const item = (over: Partial<RedactedOut> = {}): RedactedOut => ({ id: 1, state: 'done', error: null, ...over }) as RedactedOut
const mark: MarkIo = { box: [1, 2, 3, 4], tilt: 0, style: 'solid', shape: 'ellipse', reason: 'face', covered: true, score: 0.9, doubts: [], visible: [] }
const app = {
  t: texts('en'),
  read: async (work: () => Promise<void>): Promise<void> => work(),
  act: async (work: () => Promise<void>): Promise<boolean> => {
    await work()
    return true
  },
}

describe('a batch that was begun', () => {
  it('is told of when it begins and when it is through, with the way to it', async () => {
    const answers = [batch(1, { done: 1 }), batch(0, { done: 1, needs_review: 1 })]
    const api = { begin: vi.fn(() => Promise.resolve(batch(2))), batch: vi.fn(() => Promise.resolve(answers.shift() ?? batch(0))), batches: vi.fn(() => Promise.resolve({ items: [] })) }
    const toasts = new Toasts({ t: texts('en') })
    await new Batches(api, app, toasts, wait).begin({ images: [1, 2], out: '/safe', style: 'solid', keep: [], strip: true, keep_consented: false })
    await vi.waitFor(() => expect(toasts.list.length).toBe(2))
    expect(toasts.list.map(({ text }) => text)).toEqual(['2 covered copies are being made', '2 covered copies made, 1 to review first'])
    expect(toasts.list[1]?.link).toEqual({ href: '#covers/a', text: 'Show' })
  })

  it('says how many of the photos are left out', async () => {
    const api = { begin: () => Promise.resolve(batch(2)), batch: () => Promise.resolve(batch(0, { done: 2 })), batches: () => Promise.resolve({ items: [] }) }
    const toasts = new Toasts({ t: texts('en') })
    await new Batches(api, app, toasts, wait).begin({ images: [1, 2, 3], out: '/safe', style: 'solid', keep: [], strip: true, keep_consented: true })
    expect(toasts.list[0]?.text).toBe('2 covered copies are being made. 1 of the photos is left out: it is gone, or you may not make copies of it.')
  })

  it('that the agent refuses is for who asked to show', async () => {
    const api = { begin: () => Promise.reject(new ApiError(409, problem)), batch: gone, batches: gone }
    const toasts = new Toasts({ t: texts('en') })
    await expect(new Batches(api, app, toasts, wait).begin({ images: [1], out: '/x', style: 'solid', keep: [], strip: true, keep_consented: false })).rejects.toThrow(ApiError)
    expect(toasts.list).toEqual([])
  })
})

describe('the copies of a batch', () => {
  it('come some at a time, and none comes twice', async () => {
    const all = Array.from({ length: 70 }, (_, id) => item({ id }))
    const items = vi.fn((_: string, limit: number, offset = 0) => Promise.resolve({ items: all.slice(Math.max(0, offset - 1), offset + limit), total: 70, changed_at: null }))
    const state = new BatchState('a', { batch: () => Promise.resolve(batch(0)), items, accept: gone, retry: gone, stop: gone }, app)
    await state.read()
    await state.more()
    expect(state.items.map(({ id }) => id)).toEqual(all.map(({ id }) => id))
  })

  it('are all met where one above has gone', async () => {
    const all = Array.from({ length: 70 }, (_, id) => item({ id }))
    const items = vi.fn((_: string, limit: number, offset = 0) => Promise.resolve({ items: all.slice(offset, offset + limit), total: all.length, changed_at: null }))
    const state = new BatchState('a', { batch: () => Promise.resolve(batch(0)), items, accept: gone, retry: gone, stop: gone }, app)
    await state.read()
    all.splice(5, 1)
    await state.more()
    expect(state.items.map(({ id }) => id)).toEqual(all.map(({ id }) => id))
  })

  it('stay when they are read again, however many are shown', async () => {
    const all = Array.from({ length: 560 }, (_, id) => item({ id }))
    const items = vi.fn((_: string, limit: number, offset = 0) => Promise.resolve({ items: all.slice(offset, offset + Math.min(limit, 500)), total: 560, changed_at: null }))
    const state = new BatchState('a', { batch: () => Promise.resolve(batch(0)), items, accept: gone, retry: gone, stop: gone }, app)
    await state.read()
    while (state.items.length < 540) await state.more()
    await state.read()
    expect(state.items.map(({ id }) => id)).toEqual(all.slice(0, 540).map(({ id }) => id))
    let answer = (): void => undefined
    items.mockImplementationOnce(async (_, limit, offset = 0) => {
      await new Promise<void>((resolve) => (answer = resolve))
      return { items: all.slice(offset, offset + limit), total: 560, changed_at: null }
    })
    const again = state.read()
    await state.more()
    answer()
    await again
    expect(state.items.length).toBe(560)
  })

  it('believe no answer that was asked for before one that came already', async () => {
    const waiting: ((state: RedactionBatchOut) => void)[] = []
    const answered = (): Promise<RedactionBatchOut> => new Promise((resolve) => waiting.push(resolve))
    const state = new BatchState('a', { batch: answered, items: () => Promise.resolve({ items: [], total: 0, changed_at: null }), accept: gone, retry: gone, stop: gone }, app)
    const reads = [state.read(), state.read()]
    waiting[1]?.(batch(0, { done: 2 }))
    waiting[0]?.(batch(0, { done: 1 }))
    await Promise.all(reads)
    expect(state.batch?.done).toBe(2)
  })

  it('are approved as they were when they were read', async () => {
    const items = (): Promise<RedactionItems> => Promise.resolve({ items: [item({ id: 1, at: '2026-01-01T10:00:00.000001Z' })], total: 3, changed_at: '2026-01-01T10:00:05.000001Z' })
    const accept = vi.fn(() => Promise.resolve({ count: 2 }))
    const state = new BatchState('a', { batch: () => Promise.resolve(batch(0)), items, accept, retry: gone, stop: gone }, app)
    await state.read()
    expect(await state.acceptAll()).toBe(2)
    const [first] = state.items
    if (first) await state.accept(first)
    expect(accept.mock.calls).toEqual([
      ['a', null, '2026-01-01T10:00:05.000001Z'],
      ['a', [1], '2026-01-01T10:00:00.000001Z'],
    ])
  })

  it('may be gone', async () => {
    const state = new BatchState('a', { batch: gone, items: gone, accept: gone, retry: gone, stop: gone }, app)
    await state.read()
    expect([state.gone, state.failed]).toEqual([true, false])
  })
})

describe('the editor', () => {
  function world(states: RedactedOut[]) {
    const api = {
      item: vi.fn(() => Promise.resolve({ item: states.length > 1 ? (states.shift() as RedactedOut) : (states[0] as RedactedOut), marks: [mark], names: ['Mei'], moments: null })),
      edit: vi.fn(() => Promise.resolve(item({ state: 'planned' }))),
      show: gone,
    }
    return { editor: new Editor(1, api, app, wait), api }
  }

  it('believes no answer from before it saved', async () => {
    const { editor, api } = world([item(), item({ copy_sha256: 'new' })])
    await editor.read()
    let answer: (late: Awaited<ReturnType<typeof api.item>>) => void = () => undefined
    api.item.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)))
    const reading = editor.read()
    const uncovered = { ...mark, covered: false }
    editor.change([uncovered])
    expect(await editor.save()).toBe(true)
    answer({ item: item({ copy_sha256: 'old' }), marks: [mark], names: ['Mei'], moments: null })
    await reading
    expect([editor.marks, editor.item?.copy_sha256, editor.dirty]).toEqual([[uncovered], 'new', false])
  })

  it('waits until the copy is made anew', async () => {
    const { editor, api } = world([item(), item({ state: 'planned' }), item()])
    await editor.read()
    editor.change([{ ...mark, covered: false }])
    expect(editor.dirty).toBe(true)
    expect(await editor.save()).toBe(true)
    expect(api.edit).toHaveBeenCalledWith(1, [{ ...mark, covered: false }])
    expect(editor.dirty).toBe(false)
  })

  it('says why no copy was made, and keeps what was changed', async () => {
    const { editor } = world([item(), item({ state: 'failed', error: problem })])
    await editor.read()
    editor.change([])
    expect(await editor.save()).toBe(false)
    expect([editor.refused, editor.dirty, editor.marks]).toEqual([problem, true, []])
  })

  it('keeps what was changed when it reads anew, and takes it back step by step', async () => {
    const { editor } = world([item()])
    await editor.read()
    editor.change([])
    await editor.read()
    expect(editor.marks).toEqual([])
    expect(editor.undo()).toBe(true)
    expect([editor.dirty, editor.undo(), editor.marks]).toEqual([false, false, [mark]])
    expect(editor.redo()).toBe(true)
  })

  it('can do again what was taken back, also after nothing new was read', async () => {
    const { editor } = world([item()])
    await editor.read()
    editor.change([])
    expect(editor.undo()).toBe(true)
    await editor.read()
    expect([editor.redo(), editor.marks]).toEqual([true, []])
  })
})
