/** The library's part of the API: which photos there are, what is known of those in view, and what can be done with many at once. */

import type { ImageOut, PlaceProblem } from './types'

export interface LibraryIndex {
  /** newest first */
  readonly ids: readonly number[]
  /** width × 100 / height */
  readonly ratios: readonly number[]
  readonly days: readonly { readonly day: string; readonly count: number }[]
  readonly total: number
}

export interface LibraryImage extends ImageOut {
  /** when it was taken, by the camera's clock */
  readonly taken_at: string
  /** bytes */
  readonly size: number
  readonly format: string
  readonly hidden: boolean
}

export interface LibraryFolder {
  readonly path: string
  readonly name: string
  readonly images: number
  readonly problem: PlaceProblem['problem'] | null
}

export interface LibraryFilter {
  readonly folder: string | null
  /** days, both included */
  readonly after: string | null
  readonly before: string | null
  readonly facesMin: number | null
  readonly facesMax: number | null
  readonly hidden: boolean
}

export type LibraryAction = 'hide' | 'unhide' | 'look_again'

export interface ActionDone {
  readonly undo: string | null
  readonly count: number
}

export const EVERYTHING: LibraryFilter = { folder: null, after: null, before: null, facesMin: null, facesMax: null, hidden: false }

/** A filter as the query of `/api/library`. */
export function filterQuery(filter: LibraryFilter): string {
  const query = new URLSearchParams()
  if (filter.folder !== null) query.set('folder', filter.folder)
  if (filter.after !== null) query.set('after', filter.after)
  if (filter.before !== null) query.set('before', filter.before)
  if (filter.facesMin !== null) query.set('faces_min', String(filter.facesMin))
  if (filter.facesMax !== null) query.set('faces_max', String(filter.facesMax))
  if (filter.hidden) query.set('hidden', 'true')
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
