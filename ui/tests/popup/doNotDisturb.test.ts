import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Client } from '../../src/api/client'
import { SettingsApi } from '../../src/api/settingsApi'
import { AppState } from '../../src/lib/appState.svelte'
import { texts } from '../../src/lib/i18n'
import { Toasts } from '../../src/lib/toasts.svelte'
import { DoNotDisturb, minutesUntilMorning } from '../../src/popup/doNotDisturb'
import { status } from '../fixtures'

const FOLDER = { path: '/photos/phone', name: 'phone' }

function world() {
  const asked: string[] = []
  const client = new Client((input, init) => {
    const call = `${init?.method} ${String(input)}`
    asked.push(init?.body === undefined ? call : `${call} ${String(init.body)}`)
    return Promise.resolve(new Response(null, { status: 204 }))
  })
  const app = new AppState(client)
  app.take(status({ queued: 12 }))
  const toasts = new Toasts({ t: texts('en') })
  asked.length = 0
  return { asked, toasts, doNotDisturb: new DoNotDisturb(new SettingsApi(client), app, toasts) }
}

describe('do not disturb', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('is asked for, for a while or until the burst is done', async () => {
    const { doNotDisturb, asked, toasts } = world()
    await doNotDisturb.start(30)
    await doNotDisturb.startUntilDone()
    await doNotDisturb.start(null)
    expect(asked).toEqual(['POST /api/quiet {"minutes":30}', 'POST /api/quiet {"minutes":null,"until_done":true}', 'POST /api/quiet {"minutes":null}'])
    expect(toasts.list).toHaveLength(1)
  })

  it('mutes a folder, with undo', async () => {
    const { doNotDisturb, asked, toasts } = world()
    await doNotDisturb.mute(FOLDER, true)
    expect(toasts.list.at(-1)?.text).toContain('phone')
    await toasts.undo()
    expect(asked).toEqual([true, false].map((muted) => `PATCH /api/folders ${JSON.stringify({ path: FOLDER.path, muted })}`))
  })

  it('says that the photos that wait are let go, and takes them up again', async () => {
    const { doNotDisturb, asked, toasts } = world()
    await doNotDisturb.cancelBurst()
    expect(toasts.list.at(-1)?.text).toBe('12 waiting photos won’t be scanned')
    await toasts.undo()
    await vi.waitFor(() => expect(asked).toEqual(['POST /api/burst/cancel', 'POST /api/rescan']))
  })
})

it('tomorrow begins at eight, and after midnight it is the morning that comes', () => {
  expect(minutesUntilMorning(new Date(2026, 10, 25, 22, 0))).toBe(600)
  expect(minutesUntilMorning(new Date(2026, 10, 26, 1, 0))).toBe(420)
  expect(minutesUntilMorning(new Date(2026, 10, 26, 7, 0))).toBe(1500)
})
