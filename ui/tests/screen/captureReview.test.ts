import * as coverPage from 'virtual:texts/cover_page'
import { describe, expect, it, vi } from 'vitest'

import type { CaptureApi } from '../../src/api/captureApi'
import { ApiError } from '../../src/api/client'
import type { CaptureOut, Problem } from '../../src/api/types'
import { extend, texts } from '../../src/lib/i18n'
import { Toasts } from '../../src/lib/toasts.svelte'
import { withChange } from '../../src/redaction/regions'
import { CaptureReview } from '../../src/screen/captureReview.svelte'

extend(coverPage)
const GONE: Problem = { code: 'capture.gone', cause: 'C', remedy: 'R', params: {} }
const taken = (id: string, over: Partial<CaptureOut> = {}): CaptureOut => ({ id, width: 80, height: 60, faces: [], drawn: [], style: 'solid', shape: 'ellipse', path: null, copied: false, open: true, ...over })
const app = {
  t: texts('en'),
  read: async (work: () => Promise<void>): Promise<void> => work(),
  act: async (work: () => Promise<void>): Promise<boolean> => {
    await work()
    return true
  },
}

type Api = Pick<CaptureApi, 'open' | 'change' | 'copy' | 'save' | 'discard'>

/** What the next call of something waits for. */
function held<Key extends keyof Api>(api: Api, key: Key): () => void {
  let answer = (): void => undefined
  const promise = new Promise<void>((resolve) => (answer = resolve))
  const call = api[key] as (...args: unknown[]) => Promise<unknown>
  api[key] = (async (...args: unknown[]) => {
    api[key] = call as Api[Key]
    await promise
    return call(...args)
  }) as Api[Key]
  return () => answer()
}

/** A review over captures that a test may change. */
async function stage(...first: CaptureOut[]): Promise<{ review: CaptureReview; toasts: Toasts; api: Api; set: (...items: CaptureOut[]) => void }> {
  let items = first
  const of = (id: string): CaptureOut => {
    const found = items.find((one) => one.id === id)
    if (found === undefined) throw new ApiError(404, GONE)
    return found
  }
  const put = (id: string, over: Partial<CaptureOut>): CaptureOut => {
    const made = { ...of(id), ...over }
    items = items.map((one) => (one.id === id ? made : one))
    return made
  }
  const api: Api = {
    open: async () => ({ items }),
    change: async (id, change) => put(id, withChange(of(id), change)),
    copy: async (id) => put(id, { copied: true }),
    save: async (id) => put(id, { path: '/a.png' }),
    discard: async (id) => void (items = items.filter((one) => one !== of(id))),
  }
  const toasts = new Toasts({ t: texts('en') })
  const review = new CaptureReview(api as CaptureApi, app, toasts)
  const set = (...next: CaptureOut[]): void => void (items = next)
  await review.read()
  return { review, toasts, api, set }
}

describe('the review of captures', () => {
  it('shows the newest, and the one before once that is discarded', async () => {
    const { review, toasts } = await stage(taken('a'), taken('b'))
    expect(review.shown?.id).toBe('b')
    await review.discard()
    expect([review.shown?.id, toasts.list]).toEqual(['a', []])
  })

  it('says what is copied as it is, and what was changed since', async () => {
    const { review } = await stage(taken('a'))
    expect([review.kept, review.changed]).toEqual([false, false])
    await review.copy()
    expect([review.kept, review.changed]).toEqual([true, false])
    await review.change({ style: 'emoji' })
    expect([review.kept, review.changed]).toEqual([false, true])
    await review.save()
    expect([review.kept, review.changed]).toEqual([true, false])
  })

  it('asks for another picture when it looks different, and only then', async () => {
    const { review, set } = await stage(taken('a'))
    const first = review.version
    await review.copy()
    await review.read()
    expect(review.version).toBe(first)
    await review.change({ drawn: [[1, 2, 3, 4]] })
    set(taken('b'))
    await review.read()
    expect(review.version).toBe(first + 2)
  })

  it('says why a capture went that was not discarded here', async () => {
    const { review, toasts, set } = await stage(taken('a'))
    set()
    await review.read()
    expect([review.shown, toasts.list.map(({ text }) => text)]).toEqual([null, ['This capture isn’t there any more.']])
  })

  it('learns with the next touch that a capture is gone', async () => {
    const { review, toasts, set } = await stage(taken('a'), taken('b'))
    set(taken('a'))
    await review.copy()
    expect([review.shown?.id, toasts.list.length]).toEqual(['a', 1])
  })

  it('offers nothing to do before a capture is there, and goes on while the next one comes', async () => {
    const { review, set } = await stage()
    review.come()
    expect(review.seen).toBe(false)
    set(taken('a'))
    await review.read()
    await review.discard()
    expect([review.shown, review.seen]).toEqual([null, true])
    review.come()
    expect(review.seen).toBe(false)
  })

  it('begins anew when it is left', async () => {
    const { review, toasts, set } = await stage(taken('a'))
    await review.leave()
    set(taken('b'))
    await review.read()
    expect([review.shown?.id, toasts.list]).toEqual(['b', []])
  })

  it('builds each change on the one before, also while that is under way, and copies after both', async () => {
    const { review, api } = await stage(taken('a'))
    const answer = held(api, 'change')
    const [first, second] = [[1, 2, 3, 4], [5, 6, 7, 8]] as const
    const one = review.change({ drawn: [first] })
    const other = review.change({ drawn: [...(review.shown?.drawn ?? []), second] })
    const copied = review.copy()
    await review.read()
    expect(review.shown?.drawn).toEqual([first, second])
    answer()
    await Promise.all([one, other, copied])
    expect([review.shown?.drawn, review.kept]).toEqual([[first, second], true])
  })

  it('copies nothing that was asked for on top of a change that did not work', async () => {
    const { review, api } = await stage(taken('a', { drawn: [[1, 2, 3, 4]] }))
    const worked = vi.spyOn(app, 'act').mockResolvedValueOnce(false)
    await Promise.all([review.change({ drawn: [] }), review.copy()])
    expect([review.shown?.drawn, review.kept]).toEqual([[[1, 2, 3, 4]], false])
    worked.mockRestore()
    await review.copy()
    expect([review.kept, (await api.open()).items[0]?.copied]).toEqual([true, true])
  })

  it('believes no answer from before something that was done since', async () => {
    const { review, api } = await stage(taken('a'))
    const before = Promise.resolve({ items: [taken('a')] })
    const open = vi.spyOn(api, 'open').mockReturnValueOnce(before.then((late) => new Promise((resolve) => setTimeout(() => resolve(late), 20))))
    const late = review.read()
    await review.change({ style: 'blur' })
    await late
    expect([open.mock.calls.length, review.shown?.style]).toEqual([2, 'blur'])
  })

  it('draws on no other capture than the one that it was begun on', async () => {
    const { review } = await stage(taken('a'), taken('b'))
    review.drawing = true
    await review.read()
    expect(review.drawing).toBe(true)
    await review.discard()
    expect([review.shown?.id, review.drawing]).toEqual(['a', false])
  })

  it('stays when the user is back before the agent has answered', async () => {
    const { review, api } = await stage(taken('a'))
    const answer = held(api, 'open')
    const left = review.leave()
    await new Promise((resolve) => setTimeout(resolve)) // it has asked
    review.come()
    await review.read()
    answer()
    await left
    expect(review.shown?.id).toBe('a')
  })
})
