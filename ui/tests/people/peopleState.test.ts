import * as peoplePage from 'virtual:texts/people_page'
import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '../../src/api/client'
import type { FaceRef, Group, NameConflict, PersonDetail, PersonFace } from '../../src/api/types'
import { extend, texts } from '../../src/lib/i18n'
import { Toasts } from '../../src/lib/toasts.svelte'
import { PeopleState, PersonState } from '../../src/people/peopleState.svelte'

extend(peoplePage)
const ref = (id: number): FaceRef => ({ id, image_id: id, width: 400, height: 300, box: [1, 2, 3, 4], taken_at: '2026-11-14T10:00:00' })
const group = (id: number, size: number): Group => ({ id, size, faces: [ref(id * 100)], doubtful: false })
const run = async (work: () => Promise<void>): Promise<void> => work()

describe('the groups', () => {
  function world(count: number) {
    let all = Array.from({ length: count }, (_, index) => group(index + 1, 3))
    let conflicts: NameConflict[] = [{ face: ref(9), person_id: 1, ours: 'Mei', theirs: 'May' }]
    const names = {
      conflicts: vi.fn(() => Promise.resolve(conflicts)),
      keepNames: vi.fn((_ids: readonly number[], kept: boolean) => {
        conflicts = kept ? [] : [{ face: ref(9), person_id: 1, ours: 'Mei', theirs: 'May' }]
        return Promise.resolve()
      }),
    }
    const api = {
      groups: vi.fn((limit: number, offset: number) => Promise.resolve({ items: all.slice(offset, offset + limit), total: all.length })),
      group: vi.fn((id: number) => Promise.resolve({ items: [ref(id * 100), ref(id * 100 + 1)], doubtful: false })),
      ...names,
    }
    const done = { undo: 'u', count: 2, person_id: 1 }
    const edits = {
      name: vi.fn(() => {
        all = all.slice(1)
        return Promise.resolve<typeof done | null>(done)
      }),
      ignore: vi.fn(() => Promise.resolve<typeof done | null>(done)),
    }
    const act = async (work: () => Promise<void>): Promise<boolean> => {
      await work()
      return true
    }
    const toasts = new Toasts({ t: texts('en') })
    return { people: new PeopleState(api, edits, { read: run, act, t: texts('en') }, toasts), api, edits, toasts }
  }

  it('come some at a time, and those that are shown are read anew', async () => {
    const { people, api } = world(60)
    await people.read()
    expect(people.groups?.length).toBe(24)
    await people.moreGroups()
    expect(people.groups?.map(({ id }) => id)).toEqual(Array.from({ length: 48 }, (_, index) => index + 1))
    await people.read()
    expect(api.groups).toHaveBeenLastCalledWith(48, 0)
    expect(people.groupCount).toBe(60)
  })

  it('are all met where another window named one above', async () => {
    const { people, edits } = world(60)
    await people.read()
    await edits.name()
    await people.moreGroups()
    expect(people.groups?.map(({ id }) => id)).toEqual(Array.from({ length: 48 }, (_, index) => index + 2))
    expect(people.groupCount).toBe(59)
  })

  it('that are named while more are asked for do not come back', async () => {
    const { people, api } = world(60)
    await people.read()
    let answer = (): void => undefined
    api.groups.mockImplementationOnce(async (limit, offset) => {
      await new Promise<void>((resolve) => (answer = resolve))
      return { items: Array.from({ length: limit }, (_, index) => group(offset + index + 1, 3)), total: 60 }
    })
    const more = people.moreGroups()
    await vi.waitFor(() => expect(api.groups).toHaveBeenCalledTimes(2))
    await people.nameGroup(people.groups?.[0] as Group, 'Mei')
    answer()
    await more
    expect(people.groups?.some(({ id }) => id === 1)).toBe(false)
  })

  it('stay when they are read anew, however many are shown', async () => {
    const { people } = world(260)
    await people.read()
    while ((people.groups?.length ?? 0) < 260) await people.moreGroups()
    await people.read()
    expect(people.groups?.length).toBe(260)
  })

  it('that were asked for while those that are shown are read anew stay', async () => {
    const { people, api } = world(60)
    await people.read()
    let answer = (): void => undefined
    api.groups.mockImplementationOnce(async (limit, offset) => {
      await new Promise<void>((resolve) => (answer = resolve))
      return { items: Array.from({ length: limit }, (_, index) => group(offset + index + 1, 3)), total: 60 }
    })
    const anew = people.read()
    await vi.waitFor(() => expect(api.groups).toHaveBeenCalledTimes(2))
    const more = people.moreGroups()
    answer()
    await Promise.all([anew, more])
    expect(people.groups?.length).toBe(48)
  })

  it('are named by the faces that were shown, and go', async () => {
    const { people, edits } = world(2)
    await people.read()
    expect(await people.nameGroup(people.groups?.[0] as Group, 'Mei')).toBe(true)
    expect(edits.name).toHaveBeenCalledWith([100], 'Mei', true)
    expect(people.groups?.map(({ id }) => id)).toEqual([2])
    expect(people.groupCount).toBe(1)
  })

  it('are ignored with all their faces', async () => {
    const { people, edits } = world(2)
    await people.read()
    expect(await people.ignoreGroup(people.groups?.[0] as Group)).toBe(true)
    const [faces] = edits.ignore.mock.calls[0] as unknown as [() => Promise<readonly number[]>]
    expect(await faces()).toEqual([100, 101])
    expect(people.groups?.map(({ id }) => id)).toEqual([2])
    expect(people.groupCount).toBe(1)
  })

  it('that another program calls otherwise keep their name, or take the other one', async () => {
    const { people, api, edits, toasts } = world(1)
    await people.readConflicts()
    const [conflict] = people.conflicts
    if (!conflict) throw new Error('none')
    await people.keepName(conflict)
    expect([people.conflicts, toasts.list[0]?.text]).toEqual([[], 'Mei stays the name here'])
    await toasts.undo()
    await vi.waitFor(() => expect(people.conflicts.length).toBe(1))
    await people.takeName(conflict)
    expect(edits.name).toHaveBeenCalledWith([9], 'May')
    expect(api.conflicts).toHaveBeenCalledTimes(4)
  })

  it('stay when the name was not taken', async () => {
    const { people, edits } = world(2)
    edits.name.mockResolvedValueOnce(null)
    await people.read()
    expect(await people.nameGroup(people.groups?.[0] as Group, 'Mei')).toBe(false)
    expect(people.groups?.length).toBe(2)
  })
})

describe('a person', () => {
  function world(count: number) {
    const faces = Array.from({ length: count }, (_, index): PersonFace => ({ face: ref(index + 1), certainty: 'certain' }))
    const detail = { id: 7, name: 'Mei' } as PersonDetail
    const api = {
      person: vi.fn(() => Promise.resolve(detail)),
      faces: vi.fn((_: number, limit: number, offset: number) => Promise.resolve({ items: faces.slice(offset, offset + limit), total: faces.length })),
      forget: vi.fn(() => Promise.resolve({ faces: count, embeddings: count, chips: count, undo: 2 })),
    }
    const act = async (work: () => Promise<void>): Promise<boolean> => {
      await work()
      return true
    }
    return { person: new PersonState(7, api, { read: run, act }), api, faces }
  }

  it('has more faces than are read at once', async () => {
    const { person, api } = world(1_200)
    await person.read()
    expect(person.faces.length).toBe(500)
    await Promise.all([person.more(), person.more()])
    expect(person.faces.length).toBe(999)
    await person.more()
    await person.more()
    expect(person.faces.length).toBe(1_200)
    expect(api.faces).toHaveBeenCalledTimes(3)
    await person.read()
    expect(person.faces.length).toBe(1_200)
  })

  it('has every face on the page where another window took one away above', async () => {
    const { person, faces } = world(700)
    await person.read()
    faces.splice(100, 1)
    await person.more()
    expect(person.faces.map(({ face }) => face.id)).toEqual(faces.map(({ face }) => face.id))
  })

  it('may be gone', async () => {
    const { person, api } = world(1)
    api.person.mockRejectedValueOnce(new ApiError(404, { code: 'people.no_such_person', cause: '', remedy: '', params: {} }))
    await person.read()
    expect(person.gone).toBe(true)
  })

  it('that was forgotten leaves a receipt, and is not asked for again', async () => {
    const { person, api } = world(3)
    await person.read()
    await person.forget()
    expect(person.receipt?.embeddings).toBe(3)
    expect(person.faces).toEqual([])
    await person.read()
    expect(api.person).toHaveBeenCalledTimes(1)
  })
})
