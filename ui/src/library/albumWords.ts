/** What an album is, in words. */

import type { AlbumOut } from '../api/types'
import { app } from '../lib/appState.svelte'

/** "Chosen by hand", or whose it is. */
export function albumWords({ match, people }: AlbumOut): string {
  if (match === null) return app.t('album_page.by_hand')
  const names = people.flatMap((id) => app.people.find((person) => person.id === id)?.name ?? [])
  return app.t('album_page.of', { people: names.join(app.t('album_page.names_separator')) })
}
