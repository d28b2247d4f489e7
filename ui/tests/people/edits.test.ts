import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '../../src/api/client'
import { AccountState } from '../../src/lib/account.svelte'
import { texts } from '../../src/lib/i18n'
import { Toasts } from '../../src/lib/toasts.svelte'
import { Edits } from '../../src/people/edits.svelte'
import { face } from '../fixtures'

function world(remote = false) {
  const api = {
    edit: vi.fn(() => Promise.resolve({ undo: 'u1' as string | null, count: 2, person_id: 7 })),
    undo: vi.fn((_: string) => Promise.resolve({ action: 'name', count: 2, partly: false })),
  }
  const refresh = vi.fn()
  const act = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await work()
      return true
    } catch {
      return false
    }
  }
  const toasts = new Toasts({ t: texts('en') })
  const edits = new Edits(api, { account: new AccountState(remote), act, refresh, t: texts('en'), people: [{ id: 1, name: 'Lin', faces: 1, photos: 1, suggested: 0, references: 0, portrait: null, hidden: false, never: false, overdue: false }] }, toasts, { chosen: 'guardian' })
  return { edits, api, toasts, refresh, said: () => toasts.list.at(-1)?.text }
}

const none = new ApiError(404, { code: 'api.not_found', cause: '', remedy: '', params: {} })

describe('an edit', () => {
  it('is confirmed with the way back', async () => {
    const { edits, api, toasts, said } = world()
    await edits.name([3, 4], 'Mei')
    expect(api.edit).toHaveBeenCalledWith({ kind: 'name', face_ids: [3, 4], name: 'Mei', basis: 'guardian' })
    expect(said()).toBe('2 faces named Mei')
    await toasts.undo()
    expect(said()).toBe('Undone: 2 faces named Mei')
    expect(api.undo).toHaveBeenCalledWith('u1')
  })

  it('sends no legal basis for people who are known already', async () => {
    const { edits, api } = world()
    await edits.name([3], 'lin')
    expect(api.edit).toHaveBeenCalledWith({ kind: 'name', face_ids: [3], name: 'lin' })
  })

  it('promises a team nothing about similar faces, and leaves the legal basis to the consent', async () => {
    const { edits, api, said } = world(true)
    await edits.name([3, 4], 'Mei', true)
    expect(api.edit).toHaveBeenCalledWith({ kind: 'name', face_ids: [3, 4], name: 'Mei' })
    expect(said()).not.toContain('suggested')
  })

  it('says of a probable face who it is, or who it is not', async () => {
    const { edits, api } = world()
    await edits.confirm(face([0, 0, 9, 9], { id: 5, person: 'Lin', person_id: 2, certainty: 'probable' }))
    expect(api.edit).toHaveBeenLastCalledWith({ kind: 'name', face_ids: [5], person_id: 2 })
    await edits.reject([5], 2, 'Lin')
    expect(api.edit).toHaveBeenLastCalledWith({ kind: 'reject', face_ids: [5], person_id: 2 })
  })

  it('that changed nothing has no way back', async () => {
    const { edits, api, toasts } = world()
    api.edit.mockResolvedValueOnce({ undo: null, count: 0, person_id: 7 })
    await edits.ignore([3])
    expect(toasts.list[0]?.step).toBeNull()
  })

  it('that was not taken is not confirmed', async () => {
    const { edits, api, toasts } = world()
    api.edit.mockRejectedValueOnce(new Error('no'))
    expect(await edits.ignore([3])).toBeNull()
    expect(toasts.list).toEqual([])
  })
})

describe('a step', () => {
  it('is undone and redone, and named each time', async () => {
    const { edits, api, toasts, said } = world()
    await edits.name([3, 4], 'Mei')
    await edits.undoLatest()
    expect(said()).toBe('Undone: 2 faces named Mei')
    api.edit.mockResolvedValueOnce({ undo: 'u2', count: 2, person_id: 7 })
    await edits.redoLatest()
    expect(said()).toBe('Redone: 2 faces named Mei')
    await toasts.undo()
    expect(api.undo.mock.calls).toEqual([['u1'], ['u2']])
  })

  it('is undone only if it was made on this page', async () => {
    const { edits, api, said } = world()
    await edits.undoLatest()
    expect(said()).toBe('There is nothing to undo here')
    await edits.redoLatest()
    expect(said()).toBe('There is nothing to redo here')
    expect(api.undo).not.toHaveBeenCalled()
  })

  it('waits for the edit it undoes', async () => {
    const { edits, api } = world()
    let save = (): void => undefined
    api.edit.mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => (save = resolve))
      return { undo: 'late', count: 1, person_id: 7 }
    })
    const named = edits.name([3], 'Mei')
    const undone = edits.undoLatest()
    await vi.waitFor(() => expect(api.edit).toHaveBeenCalled())
    expect(api.undo).not.toHaveBeenCalled()
    save()
    await Promise.all([named, undone])
    expect(api.undo).toHaveBeenCalledWith('late')
  })

  it('that was undone elsewhere is gone, and one that could not be undone stays', async () => {
    const { edits, api, said } = world()
    await edits.name([1], 'Mei')
    await edits.name([2], 'Lin')
    api.undo.mockRejectedValueOnce(new Error('no'))
    await edits.undoLatest()
    api.undo.mockRejectedValueOnce(none)
    await edits.undoLatest()
    expect(said()).toBe('Undone: 2 faces named Mei')
    await edits.undoLatest()
    expect(said()).toBe('There is nothing to undo here')
  })
})

describe('edits', () => {
  it('are sent in the order they were made in', async () => {
    const { edits, api } = world()
    let find = (): void => undefined
    const faces = async (): Promise<readonly number[]> => {
      await new Promise<void>((resolve) => (find = resolve))
      return [1]
    }
    const both = [edits.ignore(faces), edits.name([2], 'Lin')]
    await vi.waitFor(() => expect(find).not.toThrow())
    find()
    await Promise.all(both)
    expect(api.edit.mock.calls.map((call) => (call as unknown as [{ kind: string }])[0].kind)).toEqual(['ignore', 'name'])
  })
})
