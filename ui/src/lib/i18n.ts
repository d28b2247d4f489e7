/** Texts in the user's language, by the rules and the catalogue of `agent/infrastructure/core/i18n.py`. */

import * as first from 'virtual:texts/app,ui'

export type Language = 'en' | 'zh-CN'
export type Params = Readonly<Record<string, string | number>>
export type Texts = (key: string, params?: Params) => string

/** Keys and texts, a line each; an empty line is a text that this language does without. */
interface Packed {
  readonly keys: string
  readonly en: string
  readonly zh: string
}

// Errors come from the API as whole sentences, so they are not in the bundle.
const CATALOGUES: Readonly<Record<Language, Map<string, string>>> = { en: new Map(), 'zh-CN': new Map() }

/** Takes in the texts of a part of the program. */
export function extend({ keys, en, zh }: Packed): void {
  const names = keys.split('\n')
  for (const [catalogue, lines] of [[CATALOGUES.en, en], [CATALOGUES['zh-CN'], zh]] as const)
    for (const [place, text] of lines.split('\n').entries()) if (text !== '') catalogue.set(names[place] ?? '', text)
}

extend(first)

/** The language of the system, for as long as the agent has not said which one to use. */
export function systemLanguage(wanted: string = navigator.language): Language {
  return wanted.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

/** Texts of a language with English behind it; the key itself if there is no such text. */
export function texts(language: Language): Texts {
  const numbers = new Intl.NumberFormat(language)
  return (key, params = {}) => {
    const keys = 'count' in params ? [`${key}_${params['count'] === 1 ? 'one' : 'other'}`, `${key}_other`, key] : [key]
    for (const catalogue of [CATALOGUES[language], CATALOGUES.en]) {
      for (const candidate of keys) {
        const text = catalogue.get(candidate)
        if (text !== undefined) return fill(text, params, numbers)
      }
    }
    return key
  }
}

/** One after the other, as the language sets them; empty ones are left out. */
export function sentences(said: readonly string[], t: Texts): string {
  return said.reduce((before, next) => (before && next ? t('ui.sentences', { cause: before, remedy: next }) : before + next), '')
}

/** What stands between a sentence and what follows it: nothing in Chinese. */
export function gap(t: Texts): string {
  return t('ui.sentences', { cause: '', remedy: '' })
}

function fill(text: string, params: Params, numbers: Intl.NumberFormat): string {
  // A place without a parameter stays, so that a defect shows and nothing fails.
  return text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = params[name]
    return value === undefined ? place : typeof value === 'number' ? numbers.format(value) : value
  })
}
