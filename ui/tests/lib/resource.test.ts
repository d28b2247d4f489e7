import { describe, expect, it, vi } from 'vitest'

import { ApiError, Client, Unreachable } from '../../src/api/client'
import { AppState } from '../../src/lib/appState.svelte'
import { Fetched } from '../../src/lib/resource.svelte'

const problem = { code: 'library.damaged', cause: 'It is damaged.', remedy: 'Restore it.', params: {} }

function resource(call: () => Promise<string>) {
  const app = new AppState(new Client(() => Promise.reject(new TypeError('not asked'))))
  return { app, photos: new Fetched(app, call) }
}

describe('a resource', () => {
  it('is loading until it was loaded', async () => {
    const { photos } = resource(() => Promise.resolve('photos'))
    expect(photos.loading).toBe(true)
    await photos.read()
    expect([photos.value, photos.loading, photos.failed]).toEqual(['photos', false, false])
  })

  it('says why it could not be loaded, and keeps what was known', async () => {
    const call = vi.fn(() => Promise.reject<string>(new ApiError(500, problem)))
    const { app, photos } = resource(call)
    await photos.read()
    expect([photos.value, photos.failed, photos.error, app.unread]).toEqual([null, true, problem, problem])
    call.mockResolvedValueOnce('photos')
    await photos.read()
    expect([photos.value, photos.failed, photos.error, app.unread]).toEqual(['photos', false, null, null])
    await photos.read()
    expect([photos.value, photos.failed, photos.error]).toEqual(['photos', false, problem])
  })

  it('has failed without a reason while the agent is away', async () => {
    const { photos } = resource(() => Promise.reject(new Unreachable('/api')))
    await photos.read()
    expect([photos.failed, photos.error]).toEqual([true, null])
  })

  it('may be gone, and come back', async () => {
    const call = vi.fn(() => Promise.reject<string>(new ApiError(404, problem)))
    const { app, photos } = resource(call)
    await photos.read()
    expect([photos.gone, photos.failed, photos.loading, app.unread]).toEqual([true, false, false, null])
    call.mockResolvedValueOnce('photos')
    await photos.read()
    expect([photos.gone, photos.value]).toEqual([false, 'photos'])
  })

  it('shows the answer that was asked for last, whichever comes last', async () => {
    const answers: ((value: string) => void)[] = []
    const { photos } = resource(() => new Promise((resolve) => answers.push(resolve)))
    const readings = [photos.read(), photos.read()]
    answers[1]?.('new')
    answers[0]?.('old')
    await Promise.all(readings)
    expect(photos.value).toBe('new')
  })

  it('is not gone by a late answer of before it came back, and has no error of one', async () => {
    for (const status of [404, 500]) {
      const answers: { resolve: (value: string) => void; reject: (error: Error) => void }[] = []
      const { photos } = resource(() => new Promise((resolve, reject) => answers.push({ resolve, reject })))
      const readings = [photos.read(), photos.read()]
      answers[1]?.resolve('back')
      await readings[1]
      answers[0]?.reject(new ApiError(status, problem))
      await readings[0]
      expect([photos.value, photos.gone, photos.error]).toEqual(['back', false, null])
    }
  })

  it('stays gone when a late answer still had it', async () => {
    const answers: { resolve: (value: string) => void; reject: (error: Error) => void }[] = []
    const { photos } = resource(() => new Promise((resolve, reject) => answers.push({ resolve, reject })))
    const readings = [photos.read(), photos.read()]
    answers[1]?.reject(new ApiError(404, problem))
    await readings[1]
    answers[0]?.resolve('before')
    await readings[0]
    expect(photos.gone).toBe(true)
  })
})
