import { describe, expect, it, vi } from 'vitest'

import { Client, Unreachable } from '../../src/api/client'
import { EVERYTHING } from '../../src/api/photoFilter'
import { AppState } from '../../src/lib/appState.svelte'

/** An agent that ends in the middle of every answer. */
const torn = (): Promise<Response> => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"items": ['))
      controller.error(new TypeError('network error'))
    },
  })
  return Promise.resolve(new Response(body))
}

describe('an answer that breaks off', () => {
  const client = new Client(torn)

  it.each([
    ['a reading', () => client.status()],
    ['the index', () => client.library(EVERYTHING, null)],
    ['a call', () => client.request('PUT', '/api/x', {})],
    ['an action', () => client.libraryAction('hide', [1])],
    ['a file that is sent', () => client.upload('/api/x', new Blob(['photo']))],
  ])('is none, for the agent is gone: %s', async (_, call) => {
    await expect(call()).rejects.toBeInstanceOf(Unreachable)
  })

  it('leaves the pages as they are, as when there is none at all', async () => {
    const app = new AppState(client)
    await app.readLists()
    expect(await app.act(() => client.request('PUT', '/api/x', {}))).toBe(false)
    expect([app.unread, app.failure]).toEqual([null, null])
  })
})

describe('what takes its time', () => {
  it.each([
    ['the checks, for which an engine is started', (client: Client) => client.doctor(), 60_000],
    ['asking for a new version, over a slow network', (client: Client) => client.checkUpdate(), 60_000],
    ['anything else', (client: Client) => client.health(), 15_000],
  ])('is waited for: %s', async (_, call, least) => {
    const limits = vi.spyOn(AbortSignal, 'timeout')
    await call(new Client(() => Promise.resolve(new Response('[]'))))
    const [[limit = 0] = []] = limits.mock.calls
    limits.mockRestore()
    expect(limit).toBeGreaterThanOrEqual(least)
    expect(limit).toBeLessThan(least * 10)
  })
})
