import { describe, expect, it } from 'vitest'

import { TypedTexts } from '../../src/lib/typedText'

class Place {
  kept = new Map<string, string>()
  getItem = (key: string): string | null => this.kept.get(key) ?? null
  setItem = (key: string, value: string): void => void this.kept.set(key, value)
  removeItem = (key: string): void => void this.kept.delete(key)
}

interface Field {
  value: string
  autocomplete: string
  labels: { textContent: string }[]
  placeholder: string
  getAttribute: () => string | null
}

const field = (value: string, label: string, autocomplete = ''): Field => ({ value, autocomplete, labels: [{ textContent: label }], placeholder: '', getAttribute: () => null })

/** A page whose fields were written in, but for the untouched ones. */
function typed(place: Place | null, fields: readonly Field[], untouched: readonly Field[] = []): TypedTexts {
  const texts = new TypedTexts(place)
  let listener: ((event: { target: unknown }) => void) | null = null
  const page = { addEventListener: (_: string, heard: (event: { target: unknown }) => void) => void (listener = heard) }
  texts.watch(page as never)
  for (const each of fields) {
    Object.setPrototypeOf(each, Element.prototype)
    Object.assign(each, { matches: () => true })
    listener!({ target: each })
  }
  texts.keep('mei', { querySelectorAll: () => [...fields, ...untouched] } as never, 0)
  return texts
}

// There is no browser here.
globalThis.Element ??= class {} as never

describe('what was typed when the session ended', () => {
  it('comes back once, to the same member, without what signs in', () => {
    const place = new Place()
    const texts = typed(place, [field('Sports day', ' Name\n of the library '), field('hidden', 'Password', 'current-password'), field(' ', 'Notes')], [field('old', 'Other')])
    expect(texts.take('mei', 1)).toEqual([{ label: 'Name of the library', text: 'Sports day' }])
    expect([texts.take('mei', 1), place.kept.size]).toEqual([[], 0])
  })

  it('is dropped if another member signs in, or after hours', () => {
    const place = new Place()
    expect(typed(place, [field('a', 'A')]).take('ben', 1)).toEqual([])
    expect(place.kept.size).toBe(0)
    expect(typed(place, [field('a', 'A')]).take('mei', 9 * 3_600_000)).toEqual([])
  })

  it('is lost, and no more, where the browser keeps nothing', () => {
    expect(typed(null, [field('a', 'A')]).take('mei', 1)).toEqual([])
  })
})
