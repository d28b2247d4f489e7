import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { html, target } from '../docs'
import { helpPart } from '../src/help'

const page = (name: string): string => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8')
const ids = (text: string): string[] => [...text.matchAll(/<h\d id="([^"]*)"/g)].map((match) => match[1] ?? '')

describe('a page of the docs', () => {
  it('has the same places in both languages', () => {
    for (const name of ['guide', 'reference/settings', 'reference/errors']) {
      const english = page(`${name}.md`)
      const places = ids(html(english))
      expect(places.length).toBeGreaterThan(5)
      expect(ids(html(page(`${name}.zh-CN.md`), english))).toEqual(places)
      expect(new Set(places).size).toBe(places.length)
    }
  })

  it('has every place that the program points at', () => {
    const places = ids(html(page('guide.md')))
    expect(places).toEqual(expect.arrayContaining(['watch-a-folder', 'recognise-people', 'people', 'keep-the-recovery-code']))
  })

  it('keeps its links in the program, and the other language out', () => {
    const text = html(page('guide.md'))
    expect(text).toContain('href="#help/settings"')
    expect(text).not.toContain('zh-CN')
    expect(target('reference/errors.md#image.empty')).toBe('#help/errors/image.empty')
    expect(target('../README.md')).toBeNull()
  })

  it('shows signs in code as they are', () => {
    expect(html('```sh\na < b && c\n```')).toContain('a &#60; b &#38;&#38; c')
  })
})

it('the address names a page and a heading', () => {
  expect(helpPart('errors/image.empty')).toEqual({ page: 'errors', heading: 'image.empty' })
  expect(helpPart('guide/')).toEqual({ page: 'guide', heading: null })
  expect(helpPart(null)).toEqual({ page: 'guide', heading: null })
})
