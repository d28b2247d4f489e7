import { describe, expect, it, vi } from 'vitest'

import { ApiError, Client } from '../../src/api/client'
import { SettingsApi, type Estimate } from '../../src/api/settingsApi'
import type { FirstRun, WelcomeChoices } from '../../src/api/settingsApi'
import { AppState } from '../../src/lib/appState.svelte'
import { ChosenFolders, Onboarding } from '../../src/settings/onboarding.svelte'
import { status } from '../fixtures'

const encoder = new TextEncoder()

/** A folder that is counted as the test says, a line at a time. */
function counted(path: string) {
  let into: ReadableStreamDefaultController<Uint8Array> | undefined
  const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (into = controller) })
  const estimate = (images: number, more: boolean): Estimate => ({ path, images, seconds: images / 5, more, network: false })
  return {
    stream,
    says: (images: number, more: boolean) => into?.enqueue(encoder.encode(`${JSON.stringify(estimate(images, more))}\n`)),
    ends: () => into?.close(),
  }
}

function world(...paths: string[]) {
  const folders = new Map(paths.map((path) => [path, counted(path)]))
  const signals = new Map<string, AbortSignal>()
  const client = new Client((_, init) => {
    const { path } = JSON.parse(String(init.body)) as { path: string }
    const known = folders.get(path.replace('~', '/home/mei'))
    if (init.signal) signals.set(path, init.signal)
    const refused = { code: 'source.no_access', cause: 'C', remedy: 'R' }
    return Promise.resolve(known ? new Response(known.stream) : new Response(JSON.stringify(refused), { status: 422 }))
  })
  const app = new AppState(client)
  app.take(status())
  const api = new SettingsApi(client)
  const chosen = new ChosenFolders(api, app)
  const folder = (path: string): ReturnType<typeof counted> => folders.get(path) ?? counted(path)
  const add = (path: string, images: number): Promise<boolean> => {
    folder(path.replace('~', '/home/mei')).says(images, true)
    return chosen.add(path)
  }
  return { app, api, chosen, folder, signals, add }
}

describe('the folders of the welcome', () => {
  it('are counted while one looks', async () => {
    const { chosen, folder, add } = world('/photos')
    expect(await add('/photos', 10)).toBe(true)
    expect(chosen.list).toEqual([{ path: '/photos', estimate: { path: '/photos', images: 10, seconds: 2, more: true, network: false } }])
    folder('/photos').says(25, false)
    folder('/photos').ends()
    await vi.waitFor(() => expect(chosen.sum).toEqual({ images: 25, seconds: 5, more: false }))
  })

  it('are no longer counted once they are left out', async () => {
    const { chosen, signals, add } = world('/photos')
    await add('/photos', 10)
    chosen.remove('/photos')
    expect(chosen.list).toEqual([])
    expect(signals.get('/photos')?.aborted).toBe(true)
  })

  it('are not counted twice: one inside another is left out, and the outer one takes the place of those inside', async () => {
    const { chosen, add } = world('/photos/2019', '/photos', '/photos/2020')
    await add('/photos/2019', 5)
    await add('/photos', 10)
    expect(chosen.list.map(({ path }) => path)).toEqual(['/photos'])
    expect(chosen.note).toContain('photos')
    expect(await add('/photos/2020', 5)).toBe(true)
    expect(chosen.list.map(({ path }) => path)).toEqual(['/photos'])
    expect(chosen.note).toContain('2020')
  })

  it('that are suggested are counted, not chosen, and offered again when they are left out', async () => {
    const { chosen, folder, signals, add } = world('/pictures', '/photos')
    folder('/pictures').says(7, true)
    await chosen.offer('/pictures')
    expect(chosen.list).toEqual([])
    expect(chosen.offered.map(({ path, estimate }) => [path, estimate.images])).toEqual([['/pictures', 7]])
    await add('/photos', 1)
    await chosen.add('/pictures')
    expect(chosen.list.map(({ path }) => path)).toEqual(['/photos', '/pictures'])
    expect(chosen.offered).toEqual([])
    folder('/pictures').says(9, true)
    await vi.waitFor(() => expect(chosen.sum.images).toBe(10))
    chosen.remove('/pictures')
    expect(chosen.offered.map(({ estimate }) => estimate.images)).toEqual([9])
    expect(signals.get('/pictures')?.aborted).toBe(false)
    chosen.stop()
    expect(signals.get('/pictures')?.aborted).toBe(true)
  })

  it('that can’t be read are not chosen, and why is said', async () => {
    const { app, chosen } = world()
    expect(await chosen.add('/root')).toBe(false)
    expect(chosen.list).toEqual([])
    expect(app.failure?.code).toBe('source.no_access')
  })
})

describe('the welcome', () => {
  const first = (chosen: WelcomeChoices | null, suggested: string[] = []): FirstRun => ({ needed: true, recognition_terms: '', recovery_code: null, suggested, chosen })

  function begun(...paths: string[]) {
    const made = world(...paths)
    for (const path of paths) made.folder(path).says(1, true)
    const kept: WelcomeChoices[] = []
    const api = Object.assign(made.api, { keepFirstRun: (choices: WelcomeChoices) => Promise.resolve(void kept.push(choices)), addFolder: (_: string) => Promise.resolve() })
    const done = { api, save: vi.fn(() => Promise.resolve(true)), welcomeDone: () => Promise.resolve(true), readFirstRun: () => Promise.resolve() }
    return { ...made, kept, done, welcome: new Onboarding(done, made.app) }
  }

  it('is taken up where it was left, and tells only what is news', async () => {
    const { welcome, kept } = begun('/photos', '/pictures')
    await welcome.resume(first({ folders: ['/photos'], recognition: true, step: 1 }, ['/photos', '/pictures', '/gone']))
    expect([welcome.step, welcome.recognition]).toEqual(['reach', true])
    expect(welcome.folders.list.map(({ path }) => path)).toEqual(['/photos'])
    expect(welcome.folders.offered.map(({ path }) => path)).toEqual(['/pictures'])
    welcome.keep()
    welcome.recognition = false
    welcome.keep()
    welcome.keep()
    await vi.waitFor(() => expect(kept).toEqual([{ folders: ['/photos'], recognition: false, step: 1 }]))
  })

  it('says nothing of suggestions that can’t be read', async () => {
    const { app, welcome } = begun()
    await welcome.resume(first(null, ['/gone']))
    expect([app.failure, welcome.folders.offered, welcome.ready]).toEqual([null, [], true])
  })

  it('says that it looks through photos only where there are some', async () => {
    const { app, welcome } = begun('/photos')
    app.take({ ...status(), images: 0 })
    expect(welcome.outcome).toBe('Ready for your photos')
    await welcome.folders.add('/photos')
    await vi.waitFor(() => expect(welcome.outcome).toBe('Your photos are being scanned'))
  })

  it('stays for another try if a later step fails after a folder was added', async () => {
    const { app, welcome, done } = begun('/photos', '/pictures')
    await welcome.resume(first({ folders: ['/photos', '/pictures'], recognition: false, step: 1 }))
    const refuse = vi.spyOn(done.api, 'addFolder').mockImplementation((path: string) => (path === '/pictures' ? Promise.reject(new ApiError(409, { code: 'settings.unwritable', cause: 'C', remedy: 'R', setting: null, line: null, params: {} })) : Promise.resolve()))
    expect(welcome.finishedElsewhere).toBe(false)
    await welcome.start()
    app.take({ ...status(), folders: [{ path: '/photos', name: 'photos', problem: null }] })
    expect([welcome.step, welcome.busy, app.failure?.code]).toEqual(['reach', false, 'settings.unwritable'])
    expect(welcome.finishedElsewhere).toBe(false)
    refuse.mockRestore()
    await welcome.start()
    expect(welcome.step).toBe('done')
  })

  it('is over if another window finished it', () => {
    const { app, welcome } = begun('/photos')
    app.take({ ...status(), folders: [{ path: '/photos', name: 'photos', problem: null }] })
    expect(welcome.finishedElsewhere).toBe(true)
  })

  it('switches recognition on only if that was chosen', async () => {
    const { welcome, done } = begun('/photos')
    await welcome.resume(first({ folders: ['/photos'], recognition: false, step: 0 }))
    await welcome.start()
    expect([welcome.step, done.save.mock.calls.length]).toEqual(['done', 0])
    const other = begun('/photos')
    await other.welcome.resume(first({ folders: ['/photos'], recognition: true, step: 0 }))
    await other.welcome.start()
    expect(other.done.save).toHaveBeenCalledWith('recognition.enabled', true)
  })
})
