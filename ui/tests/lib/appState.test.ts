import { describe, expect, it, vi } from 'vitest'

import { ApiError, Client } from '../../src/api/client'
import { sawPhotos } from '../../src/api/prefetch'
import { AppState } from '../../src/lib/appState.svelte'
import { image, status } from '../fixtures'

type Answers = Record<string, { readonly status?: number; readonly body: unknown }>

function client(answers: Answers): { client: Client; asked: string[] } {
  const asked: string[] = []
  const fetcher = vi.fn((input: RequestInfo | URL, init?: RequestInit) => {
    const path = String(input)
    asked.push(`${init?.method ?? 'GET'} ${path}`)
    const answer = answers[path.split('?')[0] ?? '']
    if (answer === undefined) return Promise.reject(new TypeError('network'))
    return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status ?? 200 }))
  })
  return { client: new Client(fetcher), asked }
}

const LISTS: Answers = {
  '/api/images': { body: { items: [image(2), image(1)], next: null } },
  '/api/problems': { body: { items: [], total: 0 } },
  '/api/people': { body: [{ id: 1, name: 'Mei', faces: 3 }] },
  '/api/pause': { body: null },
  '/api/resume': { body: null },
}

describe('AppState', () => {
  it('is loading until status and photos are there', async () => {
    const app = new AppState(client(LISTS).client)
    expect(app.loading).toBe(true)
    app.take(status())
    await app.readLists()
    expect(app.loading).toBe(false)
    expect(app.images.length + app.problems.length).toBe(2)
  })

  it('asks for people only while recognition is on', async () => {
    const { client: api, asked } = client(LISTS)
    const app = new AppState(api)
    app.status = status({ recognition: false })
    await app.readLists()
    expect(asked).not.toContain('GET /api/people')
    app.status = status({ recognition: true })
    await app.readLists()
    expect(app.people.map(({ name }) => name)).toEqual(['Mei'])
  })

  it('speaks the language of the status', () => {
    const app = new AppState(client(LISTS).client)
    app.take(status({ language: 'zh-CN' }))
    expect(app.t('ui.pause')).toBe('暂停')
  })

  it('keeps the rates of one burst, and starts anew with the next', () => {
    const app = new AppState(client(LISTS).client)
    const burst = { done: 1, total: 9, rate: 4, seconds_left: 2, faces: 0, people: 0, failed: 0 }
    app.take(status({ burst }))
    app.take(status({ burst: { ...burst, rate: 6 } }))
    expect(app.rates).toEqual([4, 6])
    app.take(status())
    app.take(status({ burst: { ...burst, rate: 9 } }))
    expect(app.rates).toEqual([9])
  })

  it.each(['people', 'doubts', 'people_changed'] as const)('reads the lists anew when the status says that %s changed', async (part) => {
    const { client: api, asked } = client(LISTS)
    const app = new AppState(api)
    app.take(status({ recognition: true }))
    await vi.waitFor(() => expect(asked).not.toHaveLength(0))
    asked.length = 0
    app.take(status({ recognition: true, [part]: 1 }))
    await vi.waitFor(() => expect(asked).toContain('GET /api/people'))
  })

  it('reads the lists anew in another language', async () => {
    const { client: api, asked } = client(LISTS)
    const app = new AppState(api)
    app.take(status())
    await vi.waitFor(() => expect(asked).not.toHaveLength(0))
    asked.length = 0
    app.take(status({ language: 'zh-CN' }))
    await vi.waitFor(() => expect(asked).toContain('GET /api/problems?limit=8&offset=0'))
  })

  it('pauses, and resumes when paused', async () => {
    const { client: api, asked } = client(LISTS)
    const app = new AppState(api)
    app.take(status({ state: 'working' }))
    await app.togglePause()
    app.take(status({ state: 'paused' }))
    await app.togglePause()
    expect(asked.filter((line) => line.startsWith('POST'))).toEqual(['POST /api/pause', 'POST /api/resume'])
  })

  it('says why an action did not work, until one does', async () => {
    const problem = { code: 'engine.start_failed', cause: 'C', remedy: 'R' }
    const app = new AppState(client({ ...LISTS, '/api/pause': { status: 503, body: problem } }).client)
    await app.togglePause()
    expect(app.failure).toEqual(problem)
    await app.readLists()
    expect(app.failure).toEqual(problem)
    app.take(status({ state: 'paused' }))
    await app.togglePause()
    expect(app.failure).toBeNull()
  })

  it('tells a team’s member nothing of starting the program while nothing answers', () => {
    const app = new AppState(client(LISTS).client)
    app.take(status())
    expect(app.silence.text).toContain('start the program')
    app.account.value = { id: 'm1', kind: 'member', name: 'mei', display_name: 'Mei', role: 'viewer', scopes: [] } as unknown as typeof app.account.value
    expect([app.silence.cause, app.silence.text.includes('start the program')]).toEqual(['The server doesn’t answer.', false])
  })

  it('asks to sign in when the session is over', async () => {
    const problem = { code: 'api.unauthorised', cause: 'C', remedy: 'R' }
    const app = new AppState(client({ ...LISTS, '/api/images': { status: 401, body: problem } }).client)
    await app.readLists()
    expect(app.connection).toBe('refused')
    expect(app.loading).toBe(false)
  })

  it('shows the form of a server that asks for a sign-in, in the language the server speaks', () => {
    const app = new AppState(client({}).client)
    app.refuse(new ApiError(401, { code: 'account.sign_in_required', cause: 'C', remedy: 'R', params: {} }, 'zh-CN'))
    expect([app.connection, app.signedOut, app.language]).toEqual(['refused', 'new', 'zh-CN'])
  })

  it('asks a server only for what the user may see', async () => {
    const auditor = { kind: 'member', id: 'm', name: 'a', display_name: 'A', role: 'auditor', scopes: ['self', 'status.read', 'record.read'], second_factor: false, password_changed_at: null }
    const { client: api, asked } = client({ ...LISTS, '/api/account': { body: auditor } })
    const app = new AppState(api)
    app.status = status({ recognition: true })
    await app.readAccount()
    await app.readLists()
    expect(asked).toEqual(['GET /api/account'])
    expect(app.loading).toBe(false)
  })

  it.each([
    [['self', 'record.read'], false],
    [['self', 'photos.read'], true],
  ])('remembers for the next visit whether one with %j sees photos', async (scopes, sees) => {
    const kept = new Map<string, string>()
    vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) })
    const member = { kind: 'member', id: 'm', name: 'a', display_name: 'A', role: null, scopes, second_factor: false, password_changed_at: null }
    const { client: api } = client({ ...LISTS, '/api/account': { body: member } })
    expect(sawPhotos()).toBe(false)
    await new AppState(api).readAccount()
    expect(sawPhotos()).toBe(sees)
    vi.unstubAllGlobals()
  })

  it('leaves an unreachable agent to the event stream', async () => {
    const app = new AppState(client({}).client)
    await app.readLists()
    expect(app.failure).toBeNull()
    expect(app.page).toBeNull()
  })
})
