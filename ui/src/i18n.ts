/** Texts in the user's language, by the same rules and from the same catalogue as `agent/i18n.py`. */

import { app as appEn, ui as uiEn } from '../../assets/locales/en.json'
import { app as appZh, ui as uiZh } from '../../assets/locales/zh-CN.json'

export type Language = 'en' | 'zh-CN'
export type Params = Readonly<Record<string, string | number>>
export type Texts = (key: string, params?: Params) => string

interface Nested {
  readonly [key: string]: string | Nested
}

/** All texts of a nested section by dotted key. */
export function flatten(section: Nested, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [key, value] of Object.entries(section)) {
    if (typeof value === 'string') flat.set(prefix + key, value)
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) flat.set(inner, text)
  }
  return flat
}

// Errors come from the API as whole sentences, so only these two sections are in the bundle.
const CATALOGUES: Readonly<Record<Language, Map<string, string>>> = {
  en: flatten({ app: appEn, ui: uiEn }),
  'zh-CN': flatten({ app: appZh, ui: uiZh }),
}

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

function fill(text: string, params: Params, numbers: Intl.NumberFormat): string {
  // A place without a parameter stays, so that a defect shows and nothing fails.
  return text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = params[name]
    return value === undefined ? place : typeof value === 'number' ? numbers.format(value) : value
  })
}
