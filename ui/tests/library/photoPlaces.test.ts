import { describe, expect, it } from 'vitest'

import { EVERYTHING, type LibraryFilter } from '../../src/api/photoFilter'
import { routeOf } from '../../src/lib/route'
import { filterOf, placeOf } from '../../src/library/photoPlaces'

const NARROWED: LibraryFilter = {
  folder: '/photos/50 % off? #1 & more/中文',
  after: '2024-02-29',
  before: '2024-12-31',
  facesMin: 3,
  facesMax: 5,
  hidden: true,
  people: [3, 7],
  match: 'any',
  certain: true,
  unnamed: true,
  images: [12, 7],
  favourites: true,
  album: null,
  text: 'été #photo-1?',
  problems: true,
}

describe('the filter in the address', () => {
  it('says nothing of all photos', () => {
    expect([placeOf(EVERYTHING), placeOf(EVERYTHING, 12), placeOf({ ...EVERYTHING, album: 4 })]).toEqual(['#photos', '#photo-12', '#albums/4'])
    for (const hash of ['', '#photos', '#photos?', '#nothing']) expect(filterOf(hash)).toEqual(EVERYTHING)
    expect(filterOf('#photos')?.people).toBe(EVERYTHING.people) // what is not narrowed is told by that
  })

  it.each([NARROWED, { ...NARROWED, album: 4 }, { ...EVERYTHING, facesMin: 0, facesMax: 0 }, { ...EVERYTHING, facesMin: 6 }])('comes back whole, %#', (filter) => {
    for (const photo of [null, 12]) {
      const place = placeOf(filter, photo)
      expect(filterOf(place)).toEqual(filter)
      expect(routeOf(place)).toMatchObject({ page: photo === null && filter.album !== null ? 'albums' : 'photos', photo })
    }
  })

  it('names none where no photos are shown, or one photo alone', () => {
    for (const hash of ['#people/3', '#people?hidden=true', '#albums', '#albums?hidden=true', '#settings/library.text?hidden=true', '#photo-12']) expect(filterOf(hash)).toBeNull()
  })

  it.each([
    'after=2024-02-30',
    'after=0000-01-01',
    'after=2024-1-1&before=-1',
    'before=2024-01-01T00:00',
    'faces_min=-1',
    'faces_min=1e9&faces_max=NaN',
    'faces_min=4&faces_max=4',
    'hidden=1&favourites=yes&unnamed&problems=TRUE',
    'people=3;7',
    'people=3,,7',
    'people=12345678901',
    `people=${'1,'.repeat(2_000)}1`,
    'images=',
    'images=-3',
    'match=any&certain=true',
    'match=none',
    'folder=&text=',
    'album=4',
    '__proto__=1&toString=2&%&%E0%A4%A&=&&',
  ])('leaves out what is wrong: %s', (query) => {
    expect(filterOf(`#photos?${query}`)).toEqual(EVERYTHING)
  })

  it('reads no more of a text than the server takes, and the first of two', () => {
    expect(filterOf(`#photos?text=${'x'.repeat(500)}`)?.text).toHaveLength(200)
    expect(filterOf('#photos?text=a&text=b')?.text).toBe('a')
    expect(filterOf('#photo-1?album=x')?.album).toBeNull()
  })
})
