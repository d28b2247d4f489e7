import { describe, expect, it, vi } from 'vitest'

import { ApiError } from '../src/api/client'
import { Edits } from '../src/edits.svelte'
import { texts } from '../src/i18n'
import { Toasts } from '../src/toasts.svelte'
import { face } from './fixtures'

function world() {
  const api = {
    edit: vi.fn(() => Promise.resolve({ undo: 'u1' as string | null, count: 2, person_id: 7 })),
    undo: vi.fn((_: string | null) => Promise.resolve({ action: 'name', count: 2 })),
    redo: vi.fn(() => Promise.resolve({ action: 'merge', count: 41 })),
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
  const toasts = new Toasts()
  const edits = new Edits(api, { act, refresh, t: texts('en'), people: [{ id: 1, name: 'Lin', faces: 1, photos: 1, suggested: 0, portrait: null, hidden: false, never: false, overdue: false }] }, toasts, { chosen: 'guardian' })
  return { edits, api, toasts, refresh, said: () => toasts.list.at(-1)?.text }
}

const none = new ApiError(404, { code: 'api.not_found', cause: '', remedy: '', params: {} })

describe('an edit', () => {
  it('is confirmed with the way back', async () => {
    const { edits, api, toasts, said } = world()
    await edits.name([3, 4], 'Mei')
    expect(api.edit).toHaveBeenCalledWith({ kind: 'name', face_ids: [3, 4], name: 'Mei', basis: 'guardian' })
    expect(said()).toBe('2 faces named Mei')
    expect(toasts.undo()).toBe(true)
    await vi.waitFor(() => expect(said()).toBe('Undone: 2 faces named'))
    expect(api.undo).toHaveBeenCalledWith('u1')
  })

  it('notes of nobody who is known already why they may be recognised', async () => {
    const { edits, api } = world()
    await edits.name([3], 'lin')
    expect(api.edit).toHaveBeenCalledWith({ kind: 'name', face_ids: [3], name: 'lin' })
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
    expect(toasts.list[0]?.undo).toBeNull()
  })

  it('that was not taken is not confirmed', async () => {
    const { edits, api, toasts } = world()
    api.edit.mockRejectedValueOnce(new Error('no'))
    expect(await edits.ignore([3])).toBeNull()
    expect(toasts.list).toEqual([])
  })
})

describe('the latest step', () => {
  it('is taken back and done again, and said', async () => {
    const { edits, api, said } = world()
    expect(await edits.back()).toBe(true)
    expect(api.undo).toHaveBeenCalledWith(null)
    expect(said()).toBe('Undone: 2 faces named')
    expect(await edits.again()).toBe(true)
    expect(said()).toBe('Redone: people merged, 41 faces moved')
  })

  it('may be none', async () => {
    const { edits, api, said } = world()
    api.undo.mockRejectedValueOnce(none)
    expect(await edits.back()).toBe(false)
    expect(said()).toBe('There is nothing to undo')
    api.redo.mockRejectedValueOnce(none)
    expect(await edits.again()).toBe(false)
    expect(said()).toBe('There is nothing to redo')
  })

  it('of a kind that this page does not know is a change', async () => {
    const { edits, api, said } = world()
    api.undo.mockResolvedValueOnce({ action: 'split', count: 3 })
    await edits.back()
    expect(said()).toBe('Undone: 3 changes')
  })
})
