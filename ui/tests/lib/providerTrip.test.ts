import { describe, expect, it } from 'vitest'

import { answerOf, leaveFor, tripBack } from '../../src/team/providerTrip'

function page(hash = '#people/7') {
  const kept = new Map<string, string>()
  const sessionStorage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  }
  const gone: string[] = []
  return { kept, gone, sessionStorage, location: { hash, search: '?scene=x&library=2', assign: (to: string) => void gone.push(to) } }
}

describe('the way to a provider and back', () => {
  it('keeps what proves who began, once', () => {
    const tab = page()
    leaveFor({ address: 'https://id.example/authorize?x', keep: 'secret' }, { kind: 'invitation', token: 't' }, tab as unknown as Window)
    expect(tab.gone).toEqual(['https://id.example/authorize?x'])
    expect(tripBack(tab.sessionStorage)).toEqual({ kind: 'invitation', keep: 'secret', place: '?library=2#people/7', token: 't' })
    expect(tripBack(tab.sessionStorage)).toBeNull()
  })

  it('knows nothing of what it did not begin', () => {
    for (const text of ['', 'null', '7', '{}', '{"kind":"other","keep":"k","place":""}', '{"kind":"link","keep":7,"place":""}', '[']) {
      const tab = page()
      tab.kept.set('provider', text)
      expect(tripBack(tab.sessionStorage)).toBeNull()
    }
    expect(
      tripBack({
        getItem: () => {
          throw new Error('no storage')
        },
        removeItem: () => undefined,
      }),
    ).toBeNull()
  })

  it('reads what the provider said', () => {
    const hash = '#provider/code=a%26b%2Fc&state=s&iss=https%3A%2F%2Fid.example%2Frealms'
    expect(answerOf(hash, 'k')).toEqual({ code: 'a&b/c', state: 's', iss: 'https://id.example/realms', error: '', keep: 'k' })
    expect(answerOf('#provider/error=access_denied&state=s', '')).toEqual({ code: '', state: 's', iss: '', error: 'access_denied', keep: '' })
  })
})
