/**
 * The catalogues that Python reads too, packed for the browser: `virtual:texts/app,ui` is those sections of both languages, the keys once and
 * each text a line. What only a part of the program needs is a section of its own and comes with that part.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Plugin } from 'vite'

const NAME = 'virtual:texts/'

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

export function texts(): Plugin {
  return {
    name: 'texts',
    resolveId: (id) => (id.startsWith(NAME) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${NAME}`)) return null
      const sections = id.slice(NAME.length + 1).split(',')
      const read = (file: string): Map<string, string> => {
        const path = join(import.meta.dirname, '../assets/locales', file)
        this.addWatchFile(path)
        const all = JSON.parse(readFileSync(path, 'utf8')) as Nested
        return flatten(Object.fromEntries(sections.map((section) => [section, all[section] ?? {}])))
      }
      const [en, zh] = [read('en.json'), read('zh-CN.json')]
      const keys = [...new Set([...en.keys(), ...zh.keys()])]
      const packed = { keys, en: keys.map((key) => en.get(key) ?? ''), zh: keys.map((key) => zh.get(key) ?? '') }
      return Object.entries(packed).map(([name, lines]) => `export const ${name} = ${JSON.stringify(lines.join('\n'))}`).join('\n')
    },
  }
}
