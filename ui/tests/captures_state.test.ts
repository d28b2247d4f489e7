import * as coverPage from 'virtual:texts/cover_page'
import { describe, expect, it } from 'vitest'

import type { CaptureApi } from '../src/api/capture'
import { ApiError } from '../src/api/client'
import type { CaptureOut, Problem } from '../src/api/types'
import { CaptureReview } from '../src/captures.svelte'
import { extend, texts } from '../src/i18n'
import { Toasts } from '../src/toasts.svelte'

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

/** A review over captures that a test may change. */
async function stage(...first: CaptureOut[]): Promise<{ review: CaptureReview; toasts: Toasts; set: (...items: CaptureOut[]) => void }> {
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
  const api: Pick<CaptureApi, 'open' | 'change' | 'copy' | 'save' | 'discard'> = {
    open: async () => ({ items }),
    change: async (id, { style, drawn }) => put(id, { copied: false, path: null, ...(style && { style }), ...(drawn && { drawn }) }),
    copy: async (id) => put(id, { copied: true }),
    save: async (id) => put(id, { path: '/a.png' }),
    discard: async (id) => void (items = items.filter((one) => one !== of(id))),
  }
  const toasts = new Toasts()
  const review = new CaptureReview(api as CaptureApi, app, toasts)
  const set = (...next: CaptureOut[]): void => void (items = next)
  await review.read()
  return { review, toasts, set }
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

  it('says why a capture went that nobody discarded here', async () => {
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

  it('begins anew when it is left', async () => {
    const { review, toasts, set } = await stage(taken('a'))
    await review.leave()
    set(taken('b'))
    await review.read()
    expect([review.shown?.id, toasts.list]).toEqual(['b', []])
  })
})
