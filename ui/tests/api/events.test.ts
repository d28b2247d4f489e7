import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { ApiError } from '../../src/api/client'
import { followEvents, type Listener, type Seen } from '../../src/api/events'
import type { Status } from '../../src/api/types'

/** A stream as browsers have them, which a test breaks. */
class Stream extends EventTarget {
  static made: Stream[] = []
  closed = false

  constructor(readonly address: string) {
    super()
    Stream.made.push(this)
  }

  close(): void {
    this.closed = true
  }
}

class Page extends EventTarget implements Seen {
  visibilityState = 'visible'

  turn(to: 'visible' | 'hidden'): void {
    this.visibilityState = to
    this.dispatchEvent(new Event('visibilitychange'))
  }
}

const open = (): number => Stream.made.filter(({ closed }) => !closed).length
const last = (): Stream => Stream.made.at(-1) as Stream
const status = {} as Status

let listener: Listener
let page: Page
beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', Stream)
  Stream.made = []
  listener = { connected: vi.fn(), status: vi.fn(), happened: vi.fn(), offline: vi.fn(), refused: vi.fn() }
  page = new Page()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the event stream', () => {
  it('begins anew after the computer slept, since a stream that slept may never break', () => {
    const end = followEvents(listener, () => Promise.resolve(status), page)
    vi.advanceTimersByTime(60_000)
    expect(Stream.made.length).toBe(1)
    vi.setSystemTime(Date.now() + 3_600_000)
    vi.advanceTimersByTime(5_000)
    expect([Stream.made.length, open()]).toEqual([2, 1])
    last().dispatchEvent(new Event('open'))
    expect(listener.connected).toHaveBeenCalledOnce()
    end()
    vi.setSystemTime(Date.now() + 3_600_000)
    vi.advanceTimersByTime(5_000)
    expect([Stream.made.length, open()]).toEqual([2, 0])
  })

  it('begins anew when there is a network again', () => {
    const network = new EventTarget()
    const end = followEvents(listener, () => Promise.resolve(status), page, network)
    network.dispatchEvent(new Event('online'))
    expect([Stream.made.length, open()]).toEqual([2, 1])
    end()
    network.dispatchEvent(new Event('online'))
    expect(open()).toBe(0)
  })

  it('is there only while the page can be seen', () => {
    const end = followEvents(listener, () => Promise.resolve(status), page)
    expect(open()).toBe(1)
    page.turn('hidden')
    expect(open()).toBe(0)
    page.turn('visible')
    expect(open()).toBe(1)
    end()
    page.turn('hidden')
    page.turn('visible')
    expect(open()).toBe(0)
  })

  it('of a page that is opened behind another one begins when that is seen', () => {
    page.visibilityState = 'hidden'
    followEvents(listener, () => Promise.resolve(status), page)
    expect(open()).toBe(0)
    page.turn('visible')
    expect(open()).toBe(1)
  })

  it('is one, however often the page is hidden while it is asked why the stream broke', async () => {
    followEvents(listener, () => new Promise((resolve) => setTimeout(() => resolve(status), 50)), page)
    last().dispatchEvent(new Event('error'))
    page.turn('hidden')
    page.turn('visible')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(open()).toBe(1)
  })

  it('comes back by itself, but not while the page is hidden', async () => {
    followEvents(listener, () => Promise.resolve(status), page)
    last().dispatchEvent(new Event('error'))
    await vi.advanceTimersByTimeAsync(1_000)
    expect([Stream.made.length, open()]).toEqual([2, 1])
    last().dispatchEvent(new Event('error'))
    await vi.advanceTimersByTimeAsync(0)
    page.turn('hidden')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(open()).toBe(0)
  })

  it('stays where no page is given, as that of the popup', () => {
    const end = followEvents(listener, () => Promise.resolve(status))
    page.turn('hidden')
    expect(open()).toBe(1)
    end()
    expect(open()).toBe(0)
  })

  it('of a page that must sign in is not tried again until the page is looked at anew', async () => {
    const refusal = (code: string): ApiError => new ApiError(401, { code, cause: 'C', remedy: 'R', params: {} }, 'zh-CN')
    followEvents(listener, () => Promise.reject(refusal('account.sign_in_required')), page)
    last().dispatchEvent(new Event('error'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(listener.refused).toHaveBeenCalledOnce()
    expect([Stream.made.length, open()]).toEqual([1, 0])
    page.turn('hidden')
    page.turn('visible')
    expect(open()).toBe(1)
  })

  it('of an agent that refuses the page for another reason is tried again', async () => {
    followEvents(listener, () => Promise.reject(new ApiError(401, { code: 'api.unauthorised', cause: 'C', remedy: 'R', params: {} })), page)
    last().dispatchEvent(new Event('error'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(Stream.made.length).toBeGreaterThan(1)
  })
})
