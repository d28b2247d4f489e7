import { describe, expect, it } from 'vitest'

import type { WatchOut } from '../../src/api/types'
import { texts } from '../../src/lib/i18n'
import { Toasts } from '../../src/lib/toasts.svelte'
import { ScreenWatch } from '../../src/screen/screenWatch.svelte'

const NOW = 1_800_000_000_000
const app = {
  read: async (work: () => Promise<void>): Promise<void> => work(),
  act: async (work: () => Promise<void>): Promise<boolean> => {
    await work()
    return true
  },
}

/** Watching of which so many things were said, so many seconds ago each. */
function stage(...ages: readonly number[]): { watching: ScreenWatch; told: () => readonly string[]; calls: unknown[] } {
  const said = ages.map((age, place) => ({ number: place + 1, at: new Date(NOW - age * 1000).toISOString(), kind: 'new_face' as const, text: `said ${place + 1}`, person_id: null }))
  const out: WatchOut = { state: 'on', until: null, problem: null, said }
  const calls: unknown[] = []
  const api = { read: async () => out, stop: async () => void calls.push('stop'), snooze: async (minutes: number | null) => void calls.push(minutes) }
  const toasts = new Toasts({ t: texts('en') })
  return { watching: new ScreenWatch(api, app, toasts, () => NOW), told: () => toasts.list.map(({ text }) => text), calls }
}

describe('watching the screen', () => {
  it('tells what was just said, once, and nothing of long ago', async () => {
    const { watching, told } = stage(400, 10, 1)
    await watching.hear(2)
    await watching.hear(2)
    expect(told()).toEqual(['said 2', 'said 3'])
    await watching.hear(3)
    expect(told()).toEqual(['said 2', 'said 3'])
  })

  it('begins anew with another agent', async () => {
    const { watching, told } = stage(1)
    await watching.hear(7)
    await watching.hear(1)
    expect(told()).toEqual(['said 1', 'said 1'])
  })

  it('rests, goes on and stops', async () => {
    const { watching, calls } = stage()
    await watching.snooze(60)
    await watching.snooze(null)
    await watching.stop()
    expect(calls).toEqual([60, null, 'stop'])
  })
})
