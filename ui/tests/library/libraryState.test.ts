import { describe, expect, it, vi } from 'vitest'

import { ApiError, type Client } from '../../src/api/client'
import { EVERYTHING, filterQuery, type LibraryFilter, type PackedIndex } from '../../src/api/photoFilter'
import type { FolderOut } from '../../src/api/types'
import { texts } from '../../src/lib/i18n'
import { only } from '../../src/lib/selection'
import { Toasts } from '../../src/lib/toasts.svelte'
import { LibraryState } from '../../src/library/libraryState.svelte'
import { image, packed } from '../fixtures'

function index(ids: readonly number[]): PackedIndex {
  return { etag: `"${ids.join()}"`, bytes: packed(ids, [[20_406, ids.length]]) }
}

function world(ids: readonly number[]) {
  const state = { ids: [...ids] }
  const client = {
    library: vi.fn((_: LibraryFilter, etag: string | null): Promise<PackedIndex | null> => {
      const now = index(state.ids)
      return Promise.resolve(now.etag === etag ? null : now)
    }),
    folders: vi.fn((): Promise<readonly FolderOut[]> => Promise.resolve([])),
    byId: vi.fn((asked: readonly number[]) => Promise.resolve(asked.filter((id) => id < 1000).map((id) => image(id)))),
    libraryAction: vi.fn((action: string, gone: readonly number[]) => {
      if (action === 'hide') state.ids = state.ids.filter((id) => !gone.includes(id))
      return Promise.resolve({ undo: action === 'hide' ? 'u1' : null, count: gone.length })
    }),
    libraryUndo: vi.fn((_: string) => {
      state.ids = [...ids]
      return Promise.resolve()
    }),
  }
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    await work()
    return true
  }
  const go = vi.fn()
  const toasts = new Toasts({ t: texts('en') })
  const library = new LibraryState(client as unknown as Client, { act: run, read: (work) => work(), t: texts('en') }, toasts, go)
  return { library, client, toasts, go }
}

describe('the filter', () => {
  it('asks only for what narrows', () => {
    expect(filterQuery(EVERYTHING)).toBe('?packed=true')
    expect(filterQuery({ ...EVERYTHING, folder: '/a b', facesMin: 0, facesMax: 0, hidden: true })).toBe(
      '?packed=true&folder=%2Fa+b&faces_min=0&faces_max=0&hidden=true',
    )
  })

  it('asks for the photos that a search found', () => {
    expect(filterQuery({ ...EVERYTHING, images: [12, 7] })).toBe('?packed=true&images=12%2C7')
  })

  it('is one until the photos that a search found are let go', async () => {
    const { library } = world([3, 2, 1])
    await library.narrow({ images: [3] })
    expect(library.filtered).toBe(true)
    await library.narrow({ images: null })
    expect(library.filtered).toBe(false)
  })

  it('asks for people, and how they are meant', () => {
    expect(filterQuery({ ...EVERYTHING, people: [3, 7], match: 'any', unnamed: true })).toBe('?packed=true&people=3%2C7&match=any&unnamed=true')
    expect(filterQuery({ ...EVERYTHING, match: 'only' })).toBe('?packed=true')
  })

  it('is none again when the last person is taken away', async () => {
    const { library } = world([3, 2, 1])
    await library.narrow({ people: [3], match: 'only' })
    expect(library.filtered).toBe(true)
    await library.narrow({ people: [] })
    expect(library.filter).toBe(EVERYTHING)
  })

  it('is not an album, which stays when the rest is cleared', async () => {
    const { library } = world([3, 2, 1])
    await library.narrow({ ...EVERYTHING, album: 4 })
    expect(library.filtered).toBe(false)
    expect(filterQuery(library.filter)).toBe('?packed=true&album=4')
    await library.narrow({ favourites: true })
    expect(library.filtered).toBe(true)
    await library.widen()
    expect(library.filter).toEqual({ ...EVERYTHING, album: 4 })
    await library.narrow({ album: null })
    expect(library.filter).toBe(EVERYTHING)
  })

  it('is none again when every part of it is taken away', async () => {
    const { library } = world([3, 2, 1])
    await library.narrow({ facesMin: 1 })
    expect(library.filtered).toBe(true)
    await library.narrow({ facesMin: null })
    expect(library.filtered).toBe(false)
  })

  it('finds nothing in a folder that is gone', async () => {
    const { library, client } = world([3, 2, 1])
    const gone = new ApiError(404, { code: 'api.not_found', cause: 'c', remedy: 'r', params: {} })
    client.library.mockRejectedValueOnce(gone)
    await library.narrow({ folder: '/gone' })
    expect([library.count, library.order?.days]).toEqual([0, []])
    client.library.mockRejectedValueOnce(gone)
    await expect(library.narrow({ folder: null })).rejects.toBe(gone)
  })

  it('stands in the address, and follows it', async () => {
    const { library, client, go } = world([3, 2, 1])
    library.show({ ...EVERYTHING, text: 'a' })
    expect(client.library).not.toHaveBeenCalled() // until the page is there
    await library.read()
    expect(client.library).toHaveBeenLastCalledWith(expect.objectContaining({ text: 'a' }), null)
    expect(go).not.toHaveBeenCalled()
    await library.narrow({ favourites: true })
    expect(go).toHaveBeenLastCalledWith('#photos?favourites=true&text=a')
    library.show(library.filter)
    expect(client.library).toHaveBeenCalledTimes(2)
    library.show(EVERYTHING)
    await library.read()
    expect(client.library.mock.lastCall?.[0]).toEqual(EVERYTHING)
    expect(go).toHaveBeenCalledTimes(1)
  })
})

describe('the library', () => {
  it('knows how many photos a folder holds without any of them being read', async () => {
    const { library, client } = world([3, 2, 1])
    client.folders.mockResolvedValueOnce([{ path: '/photos', name: 'photos', images: 3, problem: null }])
    await library.readFolders()
    expect(library.folders.map(({ images }) => images)).toEqual([3])
    expect(client.library).not.toHaveBeenCalled()
  })

  it('asks once for the details of what is in view, and anew after a change', async () => {
    const { library, client } = world([3, 2, 1])
    await library.read()
    library.photos.want([3, 2])
    await vi.waitFor(() => expect(library.details.size).toBe(2))
    library.photos.want([3, 2])
    expect(client.byId).toHaveBeenCalledTimes(1)
    await library.read()
    await vi.waitFor(() => expect(client.byId).toHaveBeenCalledTimes(2))
  })

  it('does not ask again for what the agent no longer knows', async () => {
    const { library, client } = world([2000, 1])
    await library.read()
    library.photos.want([2000, 1])
    await vi.waitFor(() => expect(library.details.has(1)).toBe(true))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(client.byId).toHaveBeenCalledTimes(1)
    expect(await library.photos.need(2000)).toBe(false)
  })

  it('keeps the layout when nothing changed', async () => {
    const { library } = world([3, 2, 1])
    await library.read()
    const before = library.order
    await library.read()
    expect(library.order).toBe(before)
  })

  it('lays out another filter’s photos although they are as many', async () => {
    const { library, client } = world([3, 2, 1])
    await library.read()
    await library.narrow({ hidden: true })
    expect(client.library.mock.calls.map(([, etag]) => etag)).toEqual([null, null])
    await library.read()
    expect(client.library).toHaveBeenLastCalledWith(library.filter, '"3,2,1"')
  })

  it('knows where each of very many photos is', async () => {
    const ids = Array.from({ length: 500 }, (_, index) => 500 - index)
    const { library } = world(ids)
    await library.read()
    expect(ids.map(library.placeOf)).toEqual(ids.map((_, place) => place))
    expect(library.placeOf(501)).toBe(-1)
  })

  it('reads once at a time, and once more for all that asked meanwhile', async () => {
    const { library, client } = world([3, 2, 1])
    await Promise.all([library.read(), library.read(), library.read()])
    expect(client.library).toHaveBeenCalledTimes(2)
    await library.read()
    expect(client.library).toHaveBeenCalledTimes(3)
  })

  it('waits longer for the next reading if one takes long, and not at all for what the user did', async () => {
    vi.useFakeTimers()
    try {
      const { library, client } = world([3, 2, 1])
      client.library.mockImplementation(async () => {
        await new Promise((resolve) => setTimeout(resolve, 2_000))
        return index([3, 2, 1])
      })
      void library.read()
      void library.read()
      await vi.advanceTimersByTimeAsync(2_000 + 9_900)
      expect(client.library).toHaveBeenCalledTimes(1)
      await vi.advanceTimersByTimeAsync(200)
      expect(client.library).toHaveBeenCalledTimes(2)
      void library.read()
      await vi.advanceTimersByTimeAsync(2_000)
      void library.narrow({ facesMin: 1 })
      await vi.advanceTimersByTimeAsync(0)
      expect(client.library).toHaveBeenCalledTimes(3)
    } finally {
      vi.useRealTimers()
    }
  })

  it('shows the first reading before the next has come', async () => {
    const { library, client } = world([3, 2, 1])
    client.library.mockImplementationOnce(() => Promise.resolve(index([3, 2, 1]))).mockImplementation(() => new Promise(() => {}))
    void library.read()
    void library.read()
    await vi.waitFor(() => expect(client.library).toHaveBeenCalledTimes(2))
    expect(library.count).toBe(3)
  })

  it('shows nothing of a filter that was changed meanwhile', async () => {
    const { library, client } = world([3, 2, 1])
    client.library.mockImplementation((filter) => Promise.resolve(index(filter.facesMin === 1 ? [2] : [3, 2, 1])))
    void library.read()
    await library.narrow({ facesMin: 1 })
    expect([...(library.order?.ids ?? [])]).toEqual([2])
    expect(client.folders).toHaveBeenCalledTimes(1)
  })

  it('hides what is chosen, goes on beside it, and takes it back', async () => {
    const { library, toasts } = world([5, 4, 3, 2, 1])
    await library.read()
    library.selection = only(4)
    await library.hide(library.chosen)
    expect([...(library.order?.ids ?? [])]).toEqual([5, 3, 2, 1])
    expect(library.active).toBe(3)
    expect(library.chosen).toEqual([])
    expect(toasts.list[0]?.text).toBe('1 photo hidden. The file stays where it is.')
    await toasts.undo()
    await vi.waitFor(() => expect(library.count).toBe(5))
  })

  it('knows that a photo is hidden that is out of view, and that it is not any more', async () => {
    const { library, toasts } = world([2, 1])
    await library.photos.need(1)
    expect(await library.hide([1])).toBe(true)
    expect(library.details.get(1)?.hidden).toBe(true)
    await toasts.undo()
    await vi.waitFor(() => expect(library.details.get(1)?.hidden).toBe(false))
  })

  it('goes back a photo when the last one was hidden, and stands when all were', async () => {
    const { library } = world([2, 1])
    await library.read()
    library.selection = only(1)
    await library.hide([1])
    expect(library.active).toBe(2)
    await library.hide([2])
    expect(library.active).toBeNull()
  })

  it('has no way back from looking again', async () => {
    const { library, toasts } = world([2, 1])
    await library.read()
    await library.lookAgain([2, 1])
    expect(toasts.list[0]).toMatchObject({ text: '2 photos are scanned again', step: null })
  })
})
