/** The library's filter, and actions on many photos at once. */

export interface LibraryFilter {
  readonly folder: string | null
  /** days, both included */
  readonly after: string | null
  readonly before: string | null
  readonly facesMin: number | null
  readonly facesMax: number | null
  readonly hidden: boolean
  /** ids of people, and how they combine: all of them, any of them, or no other known people */
  readonly people: readonly number[]
  readonly match: Match
  /** only photos where these people are confirmed or certain */
  readonly certain: boolean
  /** photos with faces without a name */
  readonly unnamed: boolean
  /** found by a face: no other photos */
  readonly images: readonly number[] | null
  readonly favourites: boolean
  /** only the photos of this album */
  readonly album: number | null
  /** part of the name of a file, or of a folder inside the watched one; empty for all */
  readonly text: string
  /** the files that could not be scanned, instead of photos */
  readonly problems: boolean
}

export type Match = 'all' | 'any' | 'only'
export type LibraryAction = 'hide' | 'unhide' | 'favourite' | 'unfavourite' | 'look_again'

export interface ActionDone {
  readonly undo: string | null
  readonly count: number
}

export const EVERYTHING: LibraryFilter = {
  folder: null,
  after: null,
  before: null,
  facesMin: null,
  facesMax: null,
  hidden: false,
  people: [],
  match: 'all',
  certain: false,
  unnamed: false,
  images: null,
  favourites: false,
  album: null,
  text: '',
  problems: false,
}

/** Bounds on the count of faces that one can choose, by the value that stands for them. */
export const FACE_COUNTS: Readonly<Record<string, readonly [number | null, number | null]>> = {
  any: [null, null],
  none: [0, 0],
  one: [1, 1],
  two: [2, 2],
  few: [3, 5],
  many: [6, null],
}

/** A filter as the query of `/api/library`. */
export function filterQuery(filter: LibraryFilter): string {
  return `?${new URLSearchParams([['packed', 'true'], ...filterParameters(filter)]).toString()}`
}

/** What differs from all photos, by the names that `/api/library` has for it. */
export function filterParameters(filter: LibraryFilter): URLSearchParams {
  const query = new URLSearchParams()
  if (filter.folder !== null) query.set('folder', filter.folder)
  if (filter.after !== null) query.set('after', filter.after)
  if (filter.before !== null) query.set('before', filter.before)
  if (filter.facesMin !== null) query.set('faces_min', String(filter.facesMin))
  if (filter.facesMax !== null) query.set('faces_max', String(filter.facesMax))
  if (filter.hidden) query.set('hidden', 'true')
  if (filter.people.length > 0) {
    query.set('people', filter.people.join(','))
    query.set('match', filter.match)
  }
  if (filter.images !== null) query.set('images', filter.images.join(','))
  if (filter.certain && filter.people.length > 0) query.set('certain', 'true')
  if (filter.unnamed) query.set('unnamed', 'true')
  if (filter.album !== null) query.set('album', String(filter.album))
  if (filter.favourites) query.set('favourites', 'true')
  if (filter.text !== '') query.set('text', filter.text)
  return query
}

/** Which photos match, packed; `etag` names this very answer. */
export interface PackedIndex {
  readonly etag: string | null
  readonly bytes: ArrayBuffer
}
