import { dateFormat } from '../lib/format'
import type { Language, Texts } from '../lib/i18n'

/** What was last said about a purpose. */
export interface LastWord {
  readonly state: 'given' | 'withdrawn'
  readonly given_on: string
  readonly valid_until: string | null
  readonly valid: boolean
}

export function consentWords(said: LastWord | undefined, t: Texts, language: Language): string {
  const date = dateFormat(language)
  const day = (value: string): string => date.format(new Date(`${value}T12:00:00`))
  if (said === undefined) return t('team_page.consent.unknown')
  if (said.state === 'withdrawn') return t('team_page.consent.withdrawn', { when: day(said.given_on) })
  if (!said.valid) return t('team_page.consent.ended', { when: day(said.valid_until ?? said.given_on) })
  if (said.valid_until === null) return t('team_page.consent.given', { when: day(said.given_on) })
  return t('team_page.consent.given_until', { when: day(said.given_on), until: day(said.valid_until) })
}
