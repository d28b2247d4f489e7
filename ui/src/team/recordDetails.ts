/** What an entry of the record says besides its action, in the catalogue's words where it has some. */

import type { RecordEntry } from '../api/types'
import type { Texts } from '../lib/i18n'
import { PURPOSES, purposeText } from './purposes'
import { ROLES, roleText } from './roles'

function wordText(action: string, word: string, t: Texts): string {
  const role = ROLES.find((known) => known === word)
  if (role) return roleText(role, t)
  if (action === 'prints_deleted' && word === 'consent') return t('record.because.consent')
  const purpose = action.startsWith('consent_') ? PURPOSES.find((known) => known === word) : undefined
  if (purpose) return purposeText(purpose, t)
  const key = `incidents.kinds.${word}`
  const kind = action.startsWith('incident_') ? t(key) : key
  return kind === key ? word : kind
}

/** @param named the libraries that are named beside it: their numbers say nothing more */
export function detailTexts({ action, detail }: Pick<RecordEntry, 'action' | 'detail'>, named: readonly number[], t: Texts): readonly string[] {
  const ofLibrary = action.startsWith('library_') || action.startsWith('access_')
  const words = detail.split(' ').filter((word) => word !== '' && !(ofLibrary && named.includes(Number(word))))
  return words.map((word) => wordText(action, word, t))
}
