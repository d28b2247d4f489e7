/**
 * The catalogues that Python reads too, packed for the browser: `virtual:texts/app,ui` is those sections of both languages, the keys once and
 * each text a line. What only a part of the program needs is a section of its own and comes with that part. What is built calls a text by a
 * number: its key would be there twice, and all keys weigh as much as a language.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Plugin } from 'vite'

const NAME = 'virtual:texts/'
const LOCALES = join(import.meta.dirname, '../assets/locales')
const PLURAL = /_(one|other)$/

export interface Nested {
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

/** Those whose texts are asked for by keys that stand in the code as they are. */
const NUMBERED = ['app', 'ui', 'people_page', 'face_page', 'album_page', 'cover_page', 'team_page'] as const
const KEY = new RegExp(`(['"\`])((?:${NUMBERED.join('|')})\\.[a-z_.]+)\\1`, 'g')

function read(file: string, sections: readonly string[]): Map<string, string> {
  const all = JSON.parse(readFileSync(join(LOCALES, file), 'utf8')) as Nested
  return flatten(Object.fromEntries(sections.map((section) => [section, all[section] ?? {}])))
}

/** Keys without their plural's ending, and the short names they are given. */
export function numbers(keys: Iterable<string>): Map<string, string> {
  const stems = [...new Set([...keys].map((key) => key.replace(PLURAL, '')))]
  return new Map(stems.map((stem, index) => [stem, index.toString(36)]))
}

/** The code with numbers for keys. */
export function numbered(code: string, numbers: ReadonlyMap<string, string>): string {
  return code.replace(KEY, (said, quote: string, key: string) => {
    const number = numbers.get(key)
    return number === undefined ? said : quote + number + quote
  })
}

export function texts(): Plugin {
  let short: ReadonlyMap<string, string> = new Map()
  return {
    name: 'texts',
    configResolved({ command }) {
      if (command === 'build') short = numbers(read('en.json', NUMBERED).keys())
    },
    transform: (code, id) => (short.size > 0 && /\.(ts|svelte)$/.test(id) && !id.includes('node_modules') ? { code: numbered(code, short), map: null } : null),
    resolveId: (id) => (id.startsWith(NAME) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${NAME}`)) return null
      const sections = id.slice(NAME.length + 1).split(',')
      for (const file of ['en.json', 'zh-CN.json']) this.addWatchFile(join(LOCALES, file))
      const [en, zh] = [read('en.json', sections), read('zh-CN.json', sections)]
      // A text of several lines is a mail's; no page shows one, and it would shift all that follow.
      const keys = [...new Set([...en.keys(), ...zh.keys()])].filter((key) => ![en, zh].some((texts) => texts.get(key)?.includes('\n')))
      const names = keys.map((key) => {
        const number = short.get(key.replace(PLURAL, ''))
        return number === undefined ? key : number + (PLURAL.exec(key)?.[0] ?? '')
      })
      const packed = { keys: names, en: keys.map((key) => en.get(key) ?? ''), zh: keys.map((key) => zh.get(key) ?? '') }
      return Object.entries(packed).map(([name, lines]) => `export const ${name} = ${JSON.stringify(lines.join('\n'))}`).join('\n')
    },
  }
}
