import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { coalesce } from '../../src/lib/coalesce'
import { HideTimer } from '../../src/popup/hideTimer'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('HideTimer', () => {
  it('hides once, after its time', () => {
    const hide = vi.fn()
    new HideTimer(hide).restart(12)
    vi.advanceTimersByTime(11_999)
    expect(hide).not.toHaveBeenCalled()
    vi.advanceTimersByTime(60_000)
    expect(hide).toHaveBeenCalledOnce()
  })

  it('stays while pointed at or focused, and counts anew after the last of them', () => {
    const hide = vi.fn()
    const timer = new HideTimer(hide)
    timer.restart(12)
    timer.hold('pointer', true)
    timer.hold('focus', true)
    timer.hold('pointer', false)
    vi.advanceTimersByTime(60_000)
    expect(hide).not.toHaveBeenCalled()
    timer.hold('focus', false)
    vi.advanceTimersByTime(11_000)
    expect(hide).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_000)
    expect(hide).toHaveBeenCalledOnce()
  })

  it('stays without a time, until it has one again', () => {
    const hide = vi.fn()
    const timer = new HideTimer(hide)
    timer.restart(12)
    timer.restart(null)
    timer.hold('pointer', true)
    timer.hold('pointer', false)
    vi.advanceTimersByTime(60_000)
    expect(hide).not.toHaveBeenCalled()
    timer.restart(12)
    vi.advanceTimersByTime(12_000)
    expect(hide).toHaveBeenCalledOnce()
  })

  it('does not hide again what was hidden, nor after it was stopped', () => {
    const hide = vi.fn()
    const timer = new HideTimer(hide)
    timer.restart(1)
    vi.advanceTimersByTime(1_000)
    timer.hold('pointer', true)
    timer.hold('pointer', false)
    timer.restart(1)
    timer.hold('pointer', true)
    timer.stop()
    expect(timer.held).toBe(false)
    vi.advanceTimersByTime(60_000)
    expect(hide).toHaveBeenCalledOnce()
  })
})

describe('coalesce', () => {
  it('makes one run of many calls, and one more for those that came meanwhile', async () => {
    const work = vi.fn(() => Promise.resolve())
    const call = coalesce(work, () => 400)
    call()
    call()
    call()
    expect(work).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(400)
    expect(work).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(4_000)
    expect(work).toHaveBeenCalledTimes(2)
  })
})
