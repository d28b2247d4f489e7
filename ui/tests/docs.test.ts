import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it, vi } from 'vitest'

import { html, target } from '../docs'
import { drawing } from '../icons'
import { helpPart, readPage } from '../src/help'
import { client } from '../src/state.svelte'

const page = (name: string): string => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8')
const ids = (text: string): string[] => [...text.matchAll(/<h\d id="([^"]*)"/g)].map((match) => match[1] ?? '')

describe('the guide', () => {
  it('has the same places in both languages', () => {
    const english = page('guide.md')
    const places = ids(html(english))
    expect(places.length).toBeGreaterThan(5)
    expect(ids(html(page('guide.zh-CN.md'), english))).toEqual(places)
    expect(new Set(places).size).toBe(places.length)
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

it('what there is of errors and settings comes from the agent, the guide from the UI itself', async () => {
  const asked = vi.spyOn(client, 'request').mockResolvedValue({ title: 'Errors', intro: [], columns: [], parts: [] })
  expect(await readPage('guide', 'en')).toContain('<h1')
  expect(asked).not.toHaveBeenCalled()
  expect(await readPage('errors', 'en')).toHaveProperty('title', 'Errors')
  expect(asked).toHaveBeenCalledWith('GET', '/api/help/errors')
})

it('an icon is drawn as the set has it', () => {
  const source = `const iconData = { "name": "x", "size": 24, "node": [["path", { "d": "M18 6 6 18" }], ["circle", { "cx": "1", "r": "2" }]] };\n`
  expect(drawing(source)).toBe('<path d="M18 6 6 18"/><circle cx="1" r="2"/>')
  expect(() => drawing('let other = 1')).toThrow()
})
