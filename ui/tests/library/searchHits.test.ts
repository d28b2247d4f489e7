import { describe, expect, it } from 'vitest'

import { texts } from '../../src/lib/i18n'
import { hitsOf } from '../../src/library/searchHits'

const t = texts('en')
const TODAY = new Date(2026, 10, 14)
const person = (id: number, name: string, faces: number) => ({ id, name, faces, photos: faces, suggested: 0, references: 0, portrait: null, hidden: false, never: false, overdue: false })
const known = {
  people: [person(1, 'Lin', 3), person(2, 'Pia', 9)],
  folders: [{ path: '/photos/pier', name: 'Pier' }],
  albums: [{ id: 7, name: 'Spielplatz' }, { id: 8, name: 'Sea' }],
  pages: [{ page: 'people' as const, name: 'People' }],
}

describe('the search', () => {
  it('offers people and pages before anything is typed', () => {
    expect(hitsOf(' ', known, null, t, TODAY, 'en').map(({ kind }) => kind)).toEqual(['person', 'person', 'page'])
  })

  it('offers people first, then photos by name, albums, folders and pages', () => {
    expect(hitsOf('Pi', known, null, t, TODAY, 'en')).toEqual([
      { kind: 'person', id: 2, name: 'Pia', note: '9 photos' },
      { kind: 'photos', text: 'Pi' },
      { kind: 'album', id: 7, name: 'Spielplatz' },
      { kind: 'folder', path: '/photos/pier', name: 'Pier' },
    ])
    expect(hitsOf('PEOP', known, null, t, TODAY, 'en').map(({ kind }) => kind)).toEqual(['photos', 'page'])
  })

  it('counts the confirmed photos of a person, as everywhere', () => {
    const guessed = { ...known, people: [{ ...person(3, 'Mei', 9), suggested: 4 }] }
    expect(hitsOf('mei', guessed, null, t, TODAY, 'en')[0]).toEqual({ kind: 'person', id: 3, name: 'Mei', note: '5 photos' })
  })

  it('always offers the photos', () => {
    expect(hitsOf('zzz', known, null, t, TODAY, 'en')).toEqual([{ kind: 'photos', text: 'zzz' }])
  })

  it('offers the photos of a year, a month or a day before those named so', () => {
    expect(hitsOf('2012-05', known, null, t, TODAY, 'en')).toEqual([
      { kind: 'date', name: 'May 2012', after: '2012-05-01', before: '2012-05-31' },
      { kind: 'photos', text: '2012-05' },
    ])
  })
})
