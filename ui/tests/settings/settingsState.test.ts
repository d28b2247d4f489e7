import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Client } from '../../src/api/client'
import { SettingsApi, type WatchedFolder } from '../../src/api/settingsApi'
import { AppState } from '../../src/lib/appState.svelte'
import { texts } from '../../src/lib/i18n'
import { Toasts } from '../../src/lib/toasts.svelte'
import { SettingsState } from '../../src/settings/settingsState.svelte'
import { setting, status } from '../fixtures'

const FOLDER: WatchedFolder = { path: '/photos/phone', name: 'phone', recursive: false, include: ['*.jpg'], exclude: [], faces: true, recognition: false, muted: true, names_in_sidecars: 'off', redact_to: '', redact_style: 'solid', redact_keep: [], redact_strip: true, share: 'keep', share_into: '' }
const NO: { status: number; body: unknown } = { status: 422, body: { code: 'settings.invalid', cause: 'From 2 to 3600.', remedy: '' } }

function world(answers: Record<string, { status?: number; body?: unknown }> = {}) {
  const asked: string[] = []
  const all: typeof answers = {
    'GET /api/images?limit=60': { body: { items: [], next: null } },
    'GET /api/problems?limit=8&offset=0': { body: { items: [], total: 0 } },
    'DELETE /api/folders?path=%2Fphotos%2Fphone': { body: { photos: 12, days: 30 } },
    'GET /api/settings': { body: { groups: [{ name: 'popup', title: 'Popup', advanced: false, settings: [setting()] }], folders: [FOLDER], path: '' } },
    ...answers,
  }
  const client = new Client((input, init) => {
    const call = `${init?.method} ${String(input)}`
    asked.push(init?.body === undefined ? call : `${call} ${String(init.body)}`)
    const answer = all[call] ?? { status: 204 }
    return Promise.resolve(new Response(answer.body === undefined ? null : JSON.stringify(answer.body), { status: answer.status ?? 200 }))
  })
  const app = new AppState(client)
  app.take(status())
  const toasts = new Toasts({ t: texts('en') })
  return { app, toasts, asked, settings: new SettingsState(new SettingsApi(client), app, toasts) }
}

describe('SettingsState', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('saves a value and shows what the agent made of it', async () => {
    const { settings } = world({ 'PUT /api/settings/popup.seconds': { body: setting({ value: 30 }) } })
    await settings.read()
    expect(await settings.save('popup.seconds', 30)).toBe(true)
    expect(settings.setting('popup.seconds')?.value).toBe(30)
    expect(settings.saved).toBe('popup.seconds')
  })

  it('keeps the value in force when the agent refuses, and says why beside the setting', async () => {
    const { app, settings } = world({ 'PUT /api/settings/popup.seconds': NO })
    await settings.read()
    expect(await settings.save('popup.seconds', 1)).toBe(false)
    expect(settings.setting('popup.seconds')?.value).toBe(12)
    expect(settings.refused.get('popup.seconds')?.cause).toBe('From 2 to 3600.')
    expect(settings.saved).toBeNull()
    expect(app.failure).toBeNull()
  })

  it('shows what was changed, although the settings were being read when it was', async () => {
    const { app, toasts } = world()
    const before = new Response(JSON.stringify({ groups: [{ name: 'popup', title: 'Popup', advanced: false, settings: [setting()] }], folders: [], path: '' }))
    let answer: (response: Response) => void = () => undefined
    const slow = new Promise<Response>((resolve) => (answer = resolve))
    const client = new Client((_, init) => (init?.method === 'PUT' ? Promise.resolve(new Response(JSON.stringify(setting({ value: 30 })))) : slow))
    const settings = new SettingsState(new SettingsApi(client), app, toasts)
    const read = settings.read()
    const saved = settings.save('popup.seconds', 30)
    await Promise.resolve()
    answer(before)
    await Promise.all([read, saved])
    expect(settings.setting('popup.seconds')?.value).toBe(30)
  })

  it('asks the agent what it thinks without saving', async () => {
    const { settings, asked } = world({ 'POST /api/settings/popup.seconds/check': NO })
    expect((await settings.check('popup.seconds', 1))?.code).toBe('settings.invalid')
    expect(asked.some((call) => call.startsWith('PUT'))).toBe(false)
  })

  it('resets with a way back to the value before', async () => {
    const { settings, toasts, asked } = world({
      'DELETE /api/settings/popup.seconds': { body: setting() },
      'DELETE /api/folders?path=%2Fphotos%2Fphone': { body: { photos: 12, days: 30 } },
    'GET /api/settings': { body: { groups: [{ name: 'popup', title: '', advanced: false, settings: [setting({ value: 30 })] }], folders: [], path: '' } },
      'PUT /api/settings/popup.seconds': { body: setting({ value: 30 }) },
    })
    await settings.read()
    await settings.reset('popup.seconds')
    expect(settings.setting('popup.seconds')?.value).toBe(12)
    await toasts.undo()
    await vi.waitFor(() => expect(settings.setting('popup.seconds')?.value).toBe(30))
    expect(asked).toContain('PUT /api/settings/popup.seconds {"value":30}')
  })

  it('brings a removed folder back as it was', async () => {
    const { settings, toasts, asked } = world()
    await settings.read()
    await settings.removeFolder(FOLDER)
    expect(toasts.list.at(-1)?.text).toContain('12 photos leave the library')
    expect(asked).toContain('DELETE /api/folders?path=%2Fphotos%2Fphone')
    await toasts.undo()
    const { path, name: _, ...switches } = FOLDER // the agent refuses a name: it is the folder's own
    await vi.waitFor(() => expect(asked).toContain(`POST /api/folders ${JSON.stringify({ ...switches, path })}`))
    expect(asked.some((call) => call.startsWith('PATCH'))).toBe(false)
  })

  it('does not offer to undo what changed nothing: a folder that is watched already stays', async () => {
    const { settings, toasts } = world()
    await settings.read()
    expect(await settings.addFolder('~/photos/phone')).toBe(true)
    expect(toasts.list.at(-1)?.text).toContain('already')
    expect(toasts.list.at(-1)?.step).toBeNull()
  })
})
