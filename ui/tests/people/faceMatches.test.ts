import { expect, it, vi } from 'vitest'

import { ApiError } from '../../src/api/client'
import type { FaceSearchOut, ImageOut } from '../../src/api/types'
import { FaceMatches } from '../../src/people/faceMatches.svelte'
import { face, image } from '../fixtures'

const SEARCHED = 500

/** A search for face 500 on photo 900 that found one face on each of so many photos. */
function world(count: number, named: readonly number[] = []) {
  const found = Array.from({ length: count }, (_, index) => ({ id: index + 1, image_id: index + 1, width: 400, height: 300, box: [10, 10, 20, 20] as const, taken_at: '2026-11-14T10:00:00', certainty: index < 2 ? ('certain' as const) : ('probable' as const) }))
  const answer: FaceSearchOut = { width: 400, height: 300, faces: [{ box: [10, 10, 20, 20], person_id: null, certainty: null, found, image_id: 900 }] }
  const searchFace = vi.fn(() => Promise.resolve(answer))
  const names = new Set(named)
  const byId = vi.fn((ids: readonly number[]): Promise<readonly ImageOut[]> =>
    Promise.resolve(ids.map((id) => image(id, { faces: [face(undefined, { id: id === 900 ? SEARCHED : id, ...(names.has(id) && { person: 'Mei', person_id: 1, certainty: 'confirmed' as const }) })] }))),
  )
  const read = async (call: () => Promise<void>): Promise<void> => call().catch((error: unknown) => void (error instanceof ApiError || expect.fail(String(error))))
  return { matches: new FaceMatches(SEARCHED, { searchFace }, { byId }, { read }), searchFace, byId, names }
}

it('the photos come in parts, the most alike first', async () => {
  const { matches } = world(30)
  await matches.read()
  expect([matches.matches.length, matches.matches[0]?.found.id, matches.next]).toEqual([24, 1, 6])
  await matches.more()
  expect([matches.matches.length, matches.next]).toEqual([30, 0])
})

it('it is searched once, and again only when asked to: each search is on the record', async () => {
  const { matches, searchFace, names } = world(3)
  await matches.read()
  names.add(2)
  await matches.read()
  expect(searchFace).toHaveBeenCalledTimes(1)
  expect(matches.matches.map(({ face }) => face.person)).toEqual([null, 'Mei', null])
  await matches.again()
  expect(searchFace).toHaveBeenCalledTimes(2)
})

it('photos that were asked for before more were do not take these away', async () => {
  const { matches, byId } = world(30)
  await matches.read()
  let answer = (): void => undefined
  const before = byId.getMockImplementation()
  byId.mockImplementationOnce(async (ids) => {
    await new Promise<void>((resolve) => (answer = resolve))
    return before?.(ids) ?? []
  })
  const again = matches.read()
  await matches.more()
  answer()
  await again
  expect(matches.matches).toHaveLength(30)
})

it('more than a hundred photos are asked for in several calls', async () => {
  const { matches, byId } = world(130)
  await matches.read()
  for (let part = 0; part < 5; part += 1) await matches.more()
  expect(matches.matches).toHaveLength(130)
  expect(byId.mock.calls.at(-1)?.[0]).toHaveLength(31)
})

it('a name goes to the searched face, unless its name is confirmed, and to those that were selected', async () => {
  const { matches } = world(3)
  await matches.read()
  matches.selected.add(2)
  expect(matches.named).toEqual([SEARCHED, 2])
  const known = world(3, [900])
  await known.matches.read()
  known.matches.selected.add(3)
  expect(known.matches.named).toEqual([3])
})

it('a face that is gone is said to be, and so is any other refusal', async () => {
  for (const status of [404, 422]) {
    const { matches, searchFace } = world(3)
    searchFace.mockRejectedValueOnce(new ApiError(status, { code: 'people.face_without_print', cause: 'C', remedy: 'R', params: {} }))
    await matches.read()
    expect([matches.gone, matches.failed, matches.error?.cause]).toEqual([status === 404, status !== 404, 'C'])
    await matches.again()
    expect([matches.gone, matches.failed, matches.matches.length]).toEqual([false, false, 3])
  }
})
