import * as teamPage from 'virtual:texts/team_page'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { ApiError, Unreachable } from '../../src/api/client'
import type { UploadsOut } from '../../src/api/types'
import type { Sent } from '../../src/api/uploadApi'
import { extend, texts } from '../../src/lib/i18n'
import { PART, UploadQueue, type Clock, type Item } from '../../src/uploads/uploadQueue.svelte'

extend(teamPage)
const kept = new Map<string, string>()
vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) })
beforeEach(() => kept.clear())

const refused = (status: number, code = 'upload.type'): ApiError => new ApiError(status, { code, cause: 'C', remedy: 'R', params: {} })
const file = (name = 'a.jpg', size = 10): File => new File([new Uint8Array(size)], name, { lastModified: 5 })
const app = { t: texts('en'), refuse: vi.fn(), act: async (work: () => Promise<void>): Promise<boolean> => work().then(() => true) }

/** A server in memory. `faults` are thrown by the next parts, after so many bytes arrived. */
class Server {
  taken: UploadsOut = { items: [], libraries: [], file_bytes: 1e9, days: 2 }
  readonly files = new Map<string, { readonly size: number; offset: number }>()
  faults: { readonly error: Error; readonly after: number }[] = []
  begun: (number | null)[] = []
  removed: string[] = []
  open = 0
  most = 0

  unfinished = (): Promise<UploadsOut> => Promise.resolve(this.taken)
  begin = (file: File, library: number | null): Promise<string> => {
    this.begun.push(library)
    const place = `/api/uploads/${this.begun.length}`
    this.files.set(place, { size: file.size, offset: 0 })
    return Promise.resolve(place)
  }
  offset = (place: string): Promise<Sent> => {
    const known = this.files.get(place)
    return known ? Promise.resolve(this.said(known)) : Promise.reject(refused(404, 'upload.gone'))
  }
  part = async (place: string, part: Blob, offset: number, onprogress: (bytes: number) => void): Promise<Sent> => {
    const known = this.files.get(place)
    if (known?.offset !== offset) throw refused(409, 'upload.offset')
    this.most = Math.max(this.most, ++this.open)
    await Promise.resolve()
    this.open -= 1
    const fault = this.faults.shift()
    known.offset += fault?.after ?? part.size
    if (fault) throw fault.error
    onprogress(part.size)
    return this.said(known)
  }
  remove = (place: string): Promise<void> => Promise.resolve(void this.removed.push(place))

  private said({ size, offset }: { size: number; offset: number }): Sent {
    return { offset, outcome: offset === size ? 'stored' : null }
  }
}

function queue(server = new Server(), waits: number[] = []): { readonly uploads: UploadQueue; readonly server: Server; readonly waits: number[] } {
  let now = 0
  const clock: Clock = { now: () => (now += 500), wait: (ms) => Promise.resolve(void waits.push(ms)) }
  return { uploads: new UploadQueue(server, app, clock), server, waits }
}

const ended = (uploads: UploadQueue): Promise<void> => vi.waitFor(() => expect(uploads.active).toBe(false))
const first = (uploads: UploadQueue): Item => uploads.items[0] as Item

describe('uploads', () => {
  it('bring all files, three at a time, and large ones in parts', async () => {
    const { uploads, server } = queue()
    await uploads.add([...Array.from({ length: 7 }, (_, index) => file(`${index}.jpg`)), file('large.mp4', PART * 2 + 1)])
    await ended(uploads)
    expect(uploads.items.map(({ state }) => state)).toEqual(Array<string>(8).fill('stored'))
    expect([...server.files.values()].every(({ size, offset }) => size === offset)).toBe(true)
    expect(server.most).toBe(3)
    expect(uploads.sent).toBe(uploads.total)
  })

  it('go on by themselves after a broken connection, where the server says, each wait longer until something comes through', async () => {
    const { uploads, server, waits } = queue()
    const broken = new Unreachable('x')
    server.faults = [{ error: broken, after: 4 }, { error: broken, after: 0 }, { error: refused(503), after: 0 }, { error: refused(409), after: 2 }]
    await uploads.add([file()])
    await ended(uploads)
    expect(first(uploads).state).toBe('stored')
    expect(waits).toEqual([1_000, 1_000, 2_000])
    expect(server.begun).toHaveLength(1)
  })

  it('begin anew when the server has removed them, and fail with its reason if it refuses them', async () => {
    const { uploads, server } = queue()
    server.faults = [{ error: refused(404), after: 0 }, { error: refused(415), after: 0 }]
    await uploads.add([file()])
    await ended(uploads)
    expect(server.begun).toHaveLength(2)
    expect(first(uploads).problem?.code).toBe('upload.type')
    uploads.retry(first(uploads))
    await ended(uploads)
    expect(first(uploads).state).toBe('stored')
  })

  it('are all tried again at once, those that are there are not', async () => {
    const { uploads, server } = queue()
    server.faults = [{ error: refused(507), after: 0 }, { error: refused(507), after: 0 }]
    await uploads.add([file(), file('b.jpg'), file('c.jpg')])
    await ended(uploads)
    expect(uploads.items.filter(({ state }) => state === 'failed')).toHaveLength(2)
    uploads.retryAll()
    await ended(uploads)
    expect(uploads.items.map(({ state }) => state)).toEqual(['stored', 'stored', 'stored'])
    expect(server.begun).toHaveLength(3)
  })

  it('wait for each other where together they take more than a member’s share, and fail alone', async () => {
    const { uploads, server, waits } = queue()
    server.faults = [{ error: refused(507, 'upload.share'), after: 0 }]
    await uploads.add([file(), file('b.jpg')])
    await ended(uploads)
    expect(uploads.items.map(({ state }) => state)).toEqual(['stored', 'stored'])
    expect(waits).toEqual([1_000])
    server.faults = [{ error: refused(507, 'upload.share'), after: 0 }]
    await uploads.add([file('c.jpg')])
    await ended(uploads)
    expect(uploads.items.at(-1)?.problem?.code).toBe('upload.share')
  })

  it('do not go round for ever with a server that refuses every place', async () => {
    const { uploads, server } = queue()
    server.faults = Array.from({ length: 20 }, () => ({ error: refused(409, 'upload.offset'), after: 0 }))
    await uploads.add([file()])
    await ended(uploads)
    expect(first(uploads).problem?.code).toBe('upload.offset')
  })

  it('begin with those that are too large, so that the time left does not count them', async () => {
    const { uploads, server } = queue()
    server.taken = { ...server.taken, file_bytes: 20 }
    const begun: string[] = []
    const { begin } = server
    server.begin = (each, library) => (begun.push(each.name), each.size > 20 ? Promise.reject(refused(413, 'upload.too_large')) : begin(each, library))
    await uploads.add([...Array.from({ length: 4 }, (_, index) => file(`${index}.jpg`)), file('large.mp4', 21)])
    await ended(uploads)
    expect(begun[0]).toBe('large.mp4')
    expect(uploads.items.map(({ state }) => state)).toEqual(['stored', 'stored', 'stored', 'stored', 'failed'])
  })

  it('say no time left while there is no connection', async () => {
    const server = new Server()
    server.faults = [{ error: new Unreachable('x'), after: 4 }]
    const seen: (number | null)[] = []
    const sending: UploadQueue = new UploadQueue(server, app, { now: () => 0, wait: () => Promise.resolve(void seen.push(sending.secondsLeft)) })
    sending.rate = 1
    await sending.add([file()])
    await ended(sending)
    expect(seen).toEqual([null])
  })

  it('tell of a file that the browser can not read any more', async () => {
    const { uploads } = queue()
    const gone = file()
    vi.spyOn(gone, 'slice').mockReturnValue({ arrayBuffer: () => Promise.reject(new DOMException('x', 'NotFoundError')) } as unknown as Blob)
    await uploads.add([gone])
    await ended(uploads)
    expect(first(uploads).problem?.code).toBe('upload.unreadable')
  })

  it('go on with what an earlier page began', async () => {
    const { uploads, server } = queue()
    server.files.set('/api/uploads/abc', { size: 10, offset: 6 })
    server.taken = { ...server.taken, items: [{ id: 'abc', name: 'a.jpg', size: 10, modified_ms: 5, offset: 6, expires_at: '2026-11-29T10:00:00Z' }] }
    await uploads.add([file(), file('b.jpg')])
    await ended(uploads)
    expect(server.begun).toHaveLength(1)
    expect(server.files.get('/api/uploads/abc')?.offset).toBe(10)
  })

  it('find what was begun though the answer to that was lost', async () => {
    const { uploads, server } = queue()
    const begin = server.begin
    vi.spyOn(server, 'begin').mockImplementationOnce(async (chosen, library) => {
      const place = await begin(chosen, library)
      server.taken = { ...server.taken, items: [{ id: place.slice('/api/uploads/'.length), name: 'a.jpg', size: 10, modified_ms: 5, offset: 0, expires_at: '2026-11-29T10:00:00Z' }] }
      throw new Unreachable('x')
    })
    await uploads.add([file()])
    await ended(uploads)
    expect([...server.files.values()]).toEqual([{ size: 10, offset: 10 }])
  })

  it('rest while they are paused, and are removed on the server when the user drops them', async () => {
    const { uploads, server } = queue()
    uploads.togglePause()
    await uploads.add([file(), file('b.jpg')])
    expect(server.begun).toEqual([])
    await uploads.add([file()])
    expect(uploads.items).toHaveLength(2) // the same one is not added twice
    first(uploads).place = '/api/uploads/7'
    await uploads.remove(first(uploads))
    expect(server.removed).toEqual(['/api/uploads/7'])
    uploads.togglePause()
    await ended(uploads)
    expect(uploads.items.map(({ file: { name }, state }) => [name, state])).toEqual([['b.jpg', 'stored']])
  })

  it('wait for the choice among several libraries, and remember it', async () => {
    const { uploads, server } = queue()
    server.taken = { ...server.taken, libraries: [{ id: 3, name: 'A' }, { id: 4, name: 'B' }] }
    await uploads.add([file()])
    expect(uploads.undecided).toBe(true)
    uploads.choose(4)
    await ended(uploads)
    expect(server.begun).toEqual([4])
    const again = queue(server).uploads
    await again.add([file('b.jpg')])
    await ended(again)
    expect(server.begun).toEqual([4, 4])
  })
})
