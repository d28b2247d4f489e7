/** A page can only show texts of the sections that are packed for it: any other key would stand on the screen as it is. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const SOURCES = join(import.meta.dirname, '../../src')
const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(svelte|ts)$/.test(name))
const texts = files.map((name) => readFileSync(join(SOURCES, name), 'utf8'))

it('has the section of every key', () => {
  const packed = new Set(texts.flatMap((text) => [...text.matchAll(/'virtual:texts\/([a-z_,]+)'/g)].flatMap((found) => (found[1] ?? '').split(','))))
  const used = texts.flatMap((text) => [...text.matchAll(/\bt\(\s*['`]([a-z_]+)\.[a-z_.]/g)].map((found) => found[1] ?? ''))
  expect(used.length).toBeGreaterThan(500)
  expect([...new Set(used)].filter((section) => !packed.has(section))).toEqual([])
})
