import { expect, it, vi } from 'vitest'

import { Client } from '../../src/api/client'
import { PeopleApi } from '../../src/api/peopleApi'
import { imagesOf, type Alike } from '../../src/people/searchResult'

const ref = (id: number, image_id: number): Alike['found'][number] => ({ id, image_id, width: 400, height: 300, box: [1, 2, 3, 4], taken_at: '2026-11-14T10:00:00', certainty: 'certain' })

it('a photo with two faces like it is shown once, the most alike first', () => {
  expect(imagesOf({ box: [0, 0, 1, 1], person_id: null, certainty: null, found: [ref(1, 9), ref(2, 4), ref(3, 9)], image_id: null })).toEqual([9, 4])
})

it('a photo is sent as it is, not as text', async () => {
  const fetcher = vi.fn((_path: string, _init: RequestInit) => Promise.resolve(new Response('{"width":1,"height":1,"faces":[]}')))
  const photo = new Blob(['pixels'], { type: 'image/png' })
  expect(await new PeopleApi(new Client(fetcher)).search(photo)).toEqual({ width: 1, height: 1, faces: [] })
  const [path, init] = fetcher.mock.calls[0] ?? []
  expect(path).toBe('/api/search/face')
  expect([init?.method, init?.body, init?.headers]).toEqual(['POST', photo, { 'content-type': 'image/png' }])
})
