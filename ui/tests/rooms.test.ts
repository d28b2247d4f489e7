import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

import { describe, expect, it } from 'vitest'

const SRC = join(import.meta.dirname, '../src')

/** What each room may import, besides itself. What lies directly in `src` puts the program together and may import all of them. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  api: [],
  lib: ['api'],
  uploads: ['lib', 'api'],
  team: ['uploads', 'lib', 'api'],
  people: ['team', 'lib', 'api'],
  redaction: ['people', 'lib', 'api'],
  screen: ['redaction', 'lib', 'api'],
  library: ['redaction', 'people', 'team', 'lib', 'api'],
  settings: ['redaction', 'lib', 'api'],
  status: ['library', 'lib', 'api'],
  popup: ['settings', 'library', 'screen', 'people', 'lib', 'api'],
}

const IMPORT = /(?:\bfrom\s+|\bimport\s*\(?\s*)'(\.[^']*)'/g

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(ts|svelte)$/.test(file))
const roomOf = (file: string): string | null => (file.includes(sep) ? (file.split(sep)[0] ?? null) : null)

function importsOf(file: string): string[] {
  return [...readFileSync(join(SRC, file), 'utf8').matchAll(IMPORT)].map((match) => relative(SRC, join(SRC, dirname(file), match[1] ?? '')))
}

describe('the rooms', () => {
  it('are all that lies in src, beside what puts the program together', () => {
    const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(MAY_IMPORT).sort())
  })

  it('import only those below them', () => {
    const wrong = files.flatMap((file) => {
      const room = roomOf(file)
      if (room === null) return []
      return importsOf(file)
        .filter((imported) => roomOf(imported) !== room && !MAY_IMPORT[room]?.includes(roomOf(imported) ?? 'src'))
        .map((imported) => `${file} imports ${imported}`)
    })
    expect(wrong).toEqual([])
  })

  it('import no room that imports them', () => {
    const order = Object.keys(MAY_IMPORT)
    for (const [room, others] of Object.entries(MAY_IMPORT)) for (const other of others) expect(order.indexOf(other), `${room} imports ${other}`).toBeLessThan(order.indexOf(room))
  })

  it('have no two files of one name', () => {
    const names = files.map((file) => (file.split(sep).at(-1) ?? '').replace(/(\.svelte)?(\.ts)?$/, '').toLowerCase())
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })
})
