/** What is wrong with a line of a class list, in the words of the table: the command's words name its own columns. */

import type { Problem } from '../api/types'
import type { Texts } from '../lib/i18n'

const COLUMNS = {
  name: 'list_page.column.name',
  birth_date: 'list_page.column.birth_date',
  purposes: 'list_page.column.purposes',
  basis: 'list_page.column.basis',
  guardian: 'list_page.column.guardian',
  given_on: 'list_page.column.given_on',
  valid_until: 'list_page.column.valid_until',
  document: 'list_page.column.document',
  photo: 'list_page.column.photo',
} as const

const REMEDIES: Partial<Record<string, string>> = {
  name: 'list_page.twice',
  birth_date: 'list_page.date_form',
  purposes: 'list_page.allowed_purposes',
  given_on: 'list_page.date_form',
  valid_until: 'list_page.date_form',
}

export function wrongLine({ cause, remedy, params = {} }: Problem, t: Texts): string {
  const known = Object.entries(COLUMNS).find(([name]) => name === params['column'])
  if (known === undefined) return t('ui.sentences', { cause, remedy })
  const said = t('list_page.wrong_line', { line: params['line'] ?? 0, column: t(known[1]) })
  const hint = REMEDIES[known[0]]
  return hint === undefined ? said : t('ui.sentences', { cause: said, remedy: t(hint) })
}
