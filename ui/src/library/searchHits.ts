/** Search results for a text: people, photos by date or name, albums, folders, and pages. */

import type { PersonOut } from '../api/types'
import { spanOf, type DateRange } from '../lib/dates'
import type { Language, Texts } from '../lib/i18n'
import type { Page } from '../lib/route'
import { knownFrom, matches } from '../people/identity'

type Spelled = (name: string, typed: string) => 1 | 2 | 3

export type Hit =
  | { readonly kind: 'photos'; readonly text: string }
  | ({ readonly kind: 'date'; readonly name: string } & DateRange)
  | { readonly kind: 'person'; readonly id: number; readonly name: string; /** of photos that show them */ readonly note: string }
  | { readonly kind: 'album'; readonly id: number; readonly name: string }
  | { readonly kind: 'folder'; readonly path: string; readonly name: string }
  | { readonly kind: 'page'; readonly page: Page; readonly name: string }

interface Known {
  readonly people: readonly PersonOut[]
  readonly albums: readonly { readonly id: number; readonly name: string }[]
  readonly folders: readonly { readonly path: string; readonly name: string }[]
  readonly pages: readonly { readonly page: Page; readonly name: string }[]
}

const MOST_PEOPLE = 6
const MOST_ALBUMS = 4
const MOST_FOLDERS = 4

/** Best first. Before anything is typed: the people with most faces, and the pages. */
export function hitsOf(typed: string, { people, albums, folders, pages }: Known, spelled: Spelled | null, t: Texts, today: Date, language: Language): readonly Hit[] {
  const text = typed.trim()
  const fits = ({ name }: { readonly name: string }): boolean => name.toLowerCase().includes(text.toLowerCase())
  const found: Hit[] = matches(people, text, spelled, MOST_PEOPLE).map((person) => ({ kind: 'person', id: person.id, name: person.name, note: knownFrom(person, t) }))
  if (text !== '') {
    const span = spanOf(text, today, language)
    if (span) found.push({ kind: 'date', ...span })
    found.push({ kind: 'photos', text })
    for (const { id, name } of albums.filter(fits).slice(0, MOST_ALBUMS)) found.push({ kind: 'album', id, name })
    for (const { path, name } of folders.filter(fits).slice(0, MOST_FOLDERS)) found.push({ kind: 'folder', path, name })
  }
  for (const { page, name } of pages.filter(fits)) found.push({ kind: 'page', page, name })
  return found
}
