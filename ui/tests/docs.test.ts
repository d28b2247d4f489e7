import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it, vi } from 'vitest'

import { html, names, page, target } from '../docs'
import { drawing } from '../icons'
import { helpPart, read } from '../src/help'
import { Unreachable } from '../src/api/client'
import { client } from '../src/state.svelte'

const source = (name: string): string => readFileSync(join(import.meta.dirname, '../../docs', name), 'utf8')
const ids = (text: string): string[] => [...text.matchAll(/<h\d id="([^"]*)"/g)].map((match) => match[1] ?? '')

describe('the guide', () => {
  it('has the same places in both languages', () => {
    for (const name of names()) {
      const places = ids(page(name, 'en').html)
      expect(ids(page(name, 'zh-CN').html)).toEqual(places)
      expect(new Set(places).size).toBe(places.length)
    }
  })

  it('has every place that the program points at', () => {
    const places = ids(page('guide', 'en').html)
    expect(places).toEqual(expect.arrayContaining(['watch-a-folder', 'recognise-people', 'people', 'keep-the-recovery-code']))
  })

  it('keeps its links in the program, and the other language out', () => {
    const text = html(source('guide.md'))
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

it('what was read stays there without the agent, in its language', async () => {
  const asked = vi.spyOn(client, 'request').mockResolvedValue({ html: '<h1>Guide</h1>' })
  expect(await read('guide', 'en')).toBe('<h1>Guide</h1>')
  asked.mockRejectedValue(new Unreachable())
  expect(await read('guide', 'en')).toBe('<h1>Guide</h1>')
  await expect(read('guide', 'zh-CN')).rejects.toThrow(Unreachable)
  expect(asked.mock.calls).toEqual([['GET', '/api/help/guide/guide'], ['GET', '/api/help/guide/guide']])
})

it('what there is of errors comes as the program knows it', async () => {
  const asked = vi.spyOn(client, 'request').mockResolvedValue({ title: 'Errors', intro: [], columns: [], parts: [] })
  expect(await read('errors', 'en')).toHaveProperty('title', 'Errors')
  expect(asked).toHaveBeenCalledWith('GET', '/api/help/errors')
})

it('an icon is drawn as the set has it', () => {
  const source = `const iconData = { "name": "x", "size": 24, "node": [["path", { "d": "M18 6 6 18" }], ["circle", { "cx": "1", "r": "2" }]] };\n`
  expect(drawing(source)).toBe('<path d="M18 6 6 18"/><circle cx="1" r="2"/>')
  expect(() => drawing('let other = 1')).toThrow()
})
