/** The filter in a page's address: `#photos?people=3&after=2024-01-01`, `#photo-12?folder=%2Fphotos`, `#albums/4?favourites=true`. */

import { EVERYTHING, FACE_COUNTS, filterParameters, type LibraryFilter, type Match } from '../api/photoFilter'
import { albumOf, routeOf } from '../lib/route'

/** What the server takes at most. */
const MOST_IDS = 2_400 // characters
const MOST_TEXT = 200 // characters

const MATCHES: readonly Match[] = ['all', 'any', 'only']

/** Where the photos of the filter are shown, or one of them large. */
export function placeOf(filter: LibraryFilter, photo: number | null = null): string {
  const { album } = filter
  const query = filterParameters(filter)
  if (filter.problems) query.set('problems', 'true')
  if (photo === null) query.delete('album')
  const page = photo !== null ? `photo-${photo}` : album !== null ? `albums/${album}` : 'photos'
  return `#${page}${query.size > 0 ? `?${query.toString()}` : ''}`
}

/** The filter that an address names; what is wrong in it is left out. Null where it names none: the photos last shown stay. */
export function filterOf(hash: string): LibraryFilter | null {
  const route = routeOf(hash)
  const [, given] = /\?(.*)$/.exec(hash) ?? []
  const listed = albumOf(route)
  if (route.photo !== null ? given === undefined : route.page !== 'photos' && listed === null) return null
  const query = new URLSearchParams(given)
  const is = (name: string): boolean => query.get(name) === 'true'
  const people = ids(query.get('people')) ?? EVERYTHING.people
  const [facesMin, facesMax] = facesOf(query)
  return {
    folder: query.get('folder') || null,
    after: day(query.get('after')),
    before: day(query.get('before')),
    facesMin,
    facesMax,
    hidden: is('hidden'),
    people,
    match: (people.length > 0 && MATCHES.find((each) => each === query.get('match'))) || EVERYTHING.match,
    certain: people.length > 0 && is('certain'),
    unnamed: is('unnamed'),
    images: ids(query.get('images')),
    favourites: is('favourites'),
    album: listed ?? (route.photo === null ? null : (ids(query.get('album'))?.[0] ?? null)),
    text: (query.get('text') ?? '').slice(0, MOST_TEXT),
    problems: is('problems'),
  }
}

function ids(text: string | null): readonly number[] | null {
  return text !== null && text.length <= MOST_IDS && /^\d{1,10}(,\d{1,10})*$/.test(text) ? text.split(',').map(Number) : null
}

function day(text: string | null): string | null {
  if (text === null || !/^(?!0000)\d{4}-\d\d-\d\d$/.test(text)) return null
  const read = new Date(text)
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(text) ? text : null
}

/** None but those that the filter offers: it could not show others. */
function facesOf(query: URLSearchParams): readonly [number | null, number | null] {
  const [least, most] = [query.get('faces_min'), query.get('faces_max')]
  return Object.values(FACE_COUNTS).find(([min, max]) => least === (min?.toString() ?? null) && most === (max?.toString() ?? null)) ?? [null, null]
}
