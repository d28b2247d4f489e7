import { describe, expect, it, vi } from 'vitest'

import { Client } from '../src/api/client'
import { SettingsApi, type Estimate } from '../src/api/settings'
import { AppState } from '../src/state.svelte'
import { ChosenFolders } from '../src/welcome.svelte'
import { status } from './fixtures'

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
  const chosen = new ChosenFolders(new SettingsApi(client), app)
  const folder = (path: string): ReturnType<typeof counted> => folders.get(path) ?? counted(path)
  const add = (path: string, images: number): Promise<boolean> => {
    folder(path.replace('~', '/home/mei')).says(images, true)
    return chosen.add(path)
  }
  return { app, chosen, folder, signals, add }
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

  it('that can’t be read are not chosen, and why is said', async () => {
    const { app, chosen } = world()
    expect(await chosen.add('/root')).toBe(false)
    expect(chosen.list).toEqual([])
    expect(app.failure?.code).toBe('source.no_access')
  })
})
