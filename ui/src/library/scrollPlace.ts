/**
 * Where the photos were scrolled to, kept over a reload of the page: by the browser tab, and only for the photos that its address shows again; not
 * over a sign-out.
 */

import { session } from '../api/pageSession'
import type { Held, LibraryState } from './libraryState.svelte'
import { placeOf } from './photoPlaces'

const KEY = 'library.place'

interface Kept {
  readonly place: string
  readonly held: Held
}

/** Takes up what was kept, and keeps it when the page is left or put aside. The browser's own place is lost: it is gone before the photos have come. */
export function keepScrollPlace(library: Pick<LibraryState, 'filter' | 'held'>): void {
  const kept = read()
  if (kept?.place === placeOf(library.filter)) library.held = kept.held
  const keep = (): void => {
    if (library.held === null || session.ended) sessionStorage.removeItem(KEY)
    else sessionStorage.setItem(KEY, JSON.stringify({ place: placeOf(library.filter), held: library.held } satisfies Kept))
  }
  addEventListener('pagehide', keep)
  // A tab that the browser discards meanwhile hears of nothing more.
  document.addEventListener('visibilitychange', () => document.hidden && keep())
}

function read(): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Kept | null
  } catch {
    return null
  }
}
