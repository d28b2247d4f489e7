import { afterEach, describe, expect, it, vi } from 'vitest'

import { Client } from '../../src/api/client'
import { EVERYTHING, filterQuery } from '../../src/api/photoFilter'
import { askEarly } from '../../src/api/prefetch'

afterEach(() => vi.unstubAllGlobals())

describe('what was asked for early', () => {
  it('is taken once, and then asked for anew', async () => {
    const fetched = vi.fn(() => Promise.resolve(new Response(new Uint8Array(8), { headers: { etag: '"1"' } })))
    vi.stubGlobal('fetch', fetched)
    void askEarly(`/api/library${filterQuery(EVERYTHING)}`)
    const client = new Client()
    expect((await client.library(EVERYTHING, null))?.etag).toBe('"1"')
    expect(fetched).toHaveBeenCalledTimes(1)
    await client.library(EVERYTHING, null)
    expect(fetched).toHaveBeenCalledTimes(2)
  })
})

describe('the index', () => {
  it('is none when it is still the same', async () => {
    const client = new Client((_, init) => Promise.resolve(new Response(null, { status: new Headers(init.headers).get('if-none-match') === '"1"' ? 304 : 500 })))
    expect(await client.library(EVERYTHING, '"1"')).toBeNull()
  })
})
