/** What an album is, in words. */

import type { AlbumOut } from '../api/types'
import { app } from '../lib/appState.svelte'

const COMBINED = { all: 'album_page.of_all', any: 'album_page.of_any', only: 'album_page.of_only' } as const

/** "Chosen by hand", or whose it is and how they combine. */
export function albumWords({ match, people }: AlbumOut): string {
  if (match === null) return app.t('album_page.by_hand')
  return app.t(people.length === 1 && match !== 'only' ? 'album_page.of' : COMBINED[match], { people: namesOf(people) })
}

/** Who of its people is left out, or nothing. */
export function keptBackWords({ kept_back }: AlbumOut): string {
  return kept_back.length === 0 ? '' : app.t('album_page.kept_back', { people: namesOf(kept_back) })
}

function namesOf(people: readonly number[]): string {
  const names = people.flatMap((id) => app.people.find((person) => person.id === id)?.name ?? [])
  return names.join(app.t('album_page.names_separator'))
}
