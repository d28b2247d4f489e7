import { describe, expect, it, vi } from 'vitest'

import { PageSession, type Surroundings } from '../../src/api/pageSession'

const KEPT = { key: 'k1', ticket: 't1' }

function browser(hash: string, stored: string | null = null, answer: Response | Error = Response.json(KEPT)) {
  const heard = new Map<string, (event: { key: string | null; newValue: string | null }) => void>()
  const asked: { path: string; init: RequestInit }[] = []
  const store = { value: stored }
  const page = {
    location: { hash, pathname: '/popup', search: '', reload: vi.fn() },
    history: { replaceState: vi.fn() },
    localStorage: { getItem: () => store.value, setItem: (_: string, value: string) => void (store.value = value), removeItem: () => void (store.value = null) },
    addEventListener: (event: string, call: never) => heard.set(event, call),
    fetch: (path: string, init: RequestInit) => {
      asked.push({ path, init })
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer.clone())
    },
  }
  return { page: page as unknown as Surroundings & typeof page, asked, store, tell: (event: string, value: string | null = null) => heard.get(event)?.({ key: 'session', newValue: value }) }
}

describe('a page of one library of several', () => {
  it('reads photos and people of that library, and changes what it names', async () => {
    const { page, asked } = browser('', JSON.stringify(KEPT))
    page.location.search = '?library=7'
    const session = new PageSession(page)
    for (const path of ['/api/library?album=2', '/api/people', '/api/account', '/api/account/sessions', '/api/libraries', '/api/members']) await session.ask(path)
    for (const path of ['/api/library/actions', '/api/search/face']) await session.ask(path, { method: 'POST' })
    expect(asked.map(({ path }) => path)).toEqual([
      '/api/library?album=2&library=7',
      '/api/people?library=7',
      '/api/account?library=7',
      '/api/account/sessions',
      '/api/libraries',
      '/api/members',
      '/api/library/actions',
      '/api/search/face?library=7',
    ])
    expect(session.address('/api/events')).toBe('/api/events?library=7&ticket=t1')
  })

  it('takes nothing else from its address', async () => {
    for (const search of ['', '?library=', '?library=x', '?other=7', '?library=7x']) {
      const { page, asked } = browser('', JSON.stringify(KEPT))
      page.location.search = search
      await new PageSession(page).ask('/api/people')
      expect(asked[0]?.path).toBe('/api/people')
    }
  })
})

const bearing = (init: RequestInit | undefined): string | null => new Headers(init?.headers).get('authorization')

describe('a page with a code in its address', () => {
  it('exchanges it before anything else is asked, and goes to its place', async () => {
    const { page, asked, store } = browser('#code=a-b_c&at=people/12')
    const session = new PageSession(page)
    expect(page.history.replaceState).toHaveBeenCalledWith(null, '', '/popup#people/12')
    await session.ask('/api/status')
    expect(asked.map(({ path }) => path)).toEqual(['/api/session', '/api/status'])
    expect(asked[0]?.init.body).toBe('{"code":"a-b_c"}')
    expect([bearing(asked[0]?.init), bearing(asked[1]?.init)]).toEqual([null, 'Session k1'])
    expect(JSON.parse(store.value ?? '')).toEqual(KEPT)
    expect(session.entering).toBeNull()
  })

  it('says who it is already, so that it stays so', async () => {
    const { page, asked } = browser('#code=abc', JSON.stringify({ key: 'old', ticket: 'older' }))
    await new PageSession(page).entering
    expect(bearing(asked[0]?.init)).toBe('Session old')
  })

  it('keeps what it had if the code is refused or there is no answer', async () => {
    for (const answer of [new Response('{}', { status: 401 }), new Error('gone')]) {
      const { page, store } = browser('#code=abc', JSON.stringify(KEPT), answer)
      const session = new PageSession(page)
      await session.entering
      expect(session.address('/api/events')).toBe('/api/events?ticket=t1')
      expect(store.value).toBe(JSON.stringify(KEPT))
    }
  })

  it('begins anew if the code comes while it is here', () => {
    const { page, tell } = browser('#photos')
    new PageSession(page)
    tell('hashchange')
    expect(page.location.reload).not.toHaveBeenCalled()
    page.location.hash = '#code=abc'
    tell('hashchange')
    expect(page.location.reload).toHaveBeenCalled()
  })
})

describe('a page without a code', () => {
  it('is signed in by what another tab was given, also later', async () => {
    const { page, asked, tell } = browser('', JSON.stringify(KEPT))
    const session = new PageSession(page)
    expect(session.address('/a?b=1')).toBe('/a?b=1&ticket=t1')
    tell('storage', JSON.stringify({ key: 'k2', ticket: 't2' }))
    await session.ask('/api/status')
    expect([session.address('/a'), bearing(asked[0]?.init)]).toEqual(['/a?ticket=t2', 'Session k2'])
  })

  it('asks unsigned if there is none, and waits where it is opened beside another', async () => {
    for (const stored of [null, '', '{', '{}', '[1]', '{"key":1,"ticket":2}']) {
      const { page, asked, tell } = browser('', stored)
      const session = new PageSession(page)
      await session.ask('/api/status')
      expect([session.address('/a'), bearing(asked[0]?.init)]).toEqual(['/a', null])
      const waited = session.signedIn()
      tell('storage', JSON.stringify(KEPT))
      await waited
      expect(session.address('/a')).toBe('/a?ticket=t1')
    }
  })

  it('does without a place to keep things', async () => {
    const { page } = browser('#code=abc')
    page.localStorage.getItem = page.localStorage.setItem = () => {
      throw new Error('refused')
    }
    const session = new PageSession(page)
    await session.signedIn()
    expect(session.address('/a')).toBe('/a?ticket=t1')
  })
})

describe('a page of a server', () => {
  it('keeps the key that a password was exchanged for, and tells pages that wait for one', async () => {
    const { page, asked, store } = browser('#members')
    const session = new PageSession(page)
    const waited = session.signedIn()
    session.begin(KEPT)
    await waited
    await session.ask('/api/status')
    expect([bearing(asked[0]?.init), store.value, session.address('/a')]).toEqual(['Session k1', JSON.stringify(KEPT), '/a?ticket=t1'])
  })

  it('drops a key that is worth nothing any more, and says whether there was one', async () => {
    const { page, asked, store } = browser('', JSON.stringify(KEPT))
    const session = new PageSession(page)
    expect(session.end()).toBe(true)
    expect([store.value, session.end()]).toEqual([null, false])
    await session.ask('/api/status')
    expect(bearing(asked[0]?.init)).toBeNull()
  })

  it('leaves the key that another tab was given meanwhile', () => {
    const { page, store } = browser('', JSON.stringify(KEPT))
    const session = new PageSession(page)
    store.value = JSON.stringify({ key: 'k2', ticket: 't2' })
    session.end()
    expect(store.value).toContain('k2')
  })
})
