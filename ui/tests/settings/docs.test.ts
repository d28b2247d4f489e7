import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it, vi } from 'vitest'

import { html, page, pages, picture, picturesIn, target, texts } from '../../docs'
import { drawing } from '../../icons'
import { ApiError, Unreachable } from '../../src/api/client'
import { client } from '../../src/lib/appState.svelte'
import { helpPart, read } from '../../src/settings/helpTexts'

const sources = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.svelte')).map((name) => join(folder, name))
const ids = (text: string): string[] => [...text.matchAll(/<h\d id="([^"]*)"/g)].map((match) => match[1] ?? '')

describe('the help', () => {
  it('has the same places and pictures in both languages', () => {
    for (const name of pages().keys()) {
      const [english, chinese] = [page(name, 'en').html, page(name, 'zh-CN').html]
      expect([name, ...ids(chinese)]).toEqual([name, ...ids(english)])
      expect(new Set(ids(english)).size).toBe(ids(english).length)
      expect(picturesIn(chinese).length).toBe(picturesIn(english).length)
      for (const file of [...picturesIn(english), ...picturesIn(chinese)]) expect(existsSync(picture(file)), file).toBe(true)
    }
  })

  it('has every place that the program and its own pages point at', () => {
    const places = new Map([...pages().keys()].map((name) => [name, ids(page(name, 'en').html)]))
    const asked = sources(join(import.meta.dirname, '../../src')).flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/topic="([^"{]+)"/g)].map((match) => match[1] ?? ''))
    const linked = [...places.keys()].flatMap((name) => [...page(name, 'zh-CN').html.matchAll(/href="#help\/([^"]+)"/g)].map((match) => match[1] ?? ''))
    expect(asked.length).toBeGreaterThan(5)
    for (const topic of [...asked, ...linked]) {
      const { page: name, heading } = helpPart(topic)
      if (name === 'settings' || name === 'errors') continue
      expect(places.has(name), topic).toBe(true)
      if (heading !== null) expect(places.get(name), topic).toContain(heading)
    }
  })

  it('has a text for the command line of every page, in both languages, administrators’ too', () => {
    for (const place of texts().values()) for (const suffix of ['', '.zh-CN']) expect(existsSync(join(import.meta.dirname, '../../../docs', `${place}${suffix}.md`)), place).toBe(true)
    expect([...texts().keys()]).toEqual(expect.arrayContaining([...pages().keys(), 'backup', 'host', 'team']))
    expect(new Set(texts().values()).size).toBe(texts().size)
  })

  it('keeps its links in the program, and the other language out', () => {
    const text = page('guide', 'en').html
    expect(text).toContain('href="#help/watch-folders"')
    expect(text).not.toContain('zh-CN')
    expect(target('../reference/errors.md#image.empty')).toBe('#help/errors/image.empty')
    expect(target('../../README.md')).toBeNull()
    expect(target('../decisions/0001-engine-is-a-json-child.md')).toBeNull()
  })

  it('shows signs in code as they are, and pictures as the agent gives them', () => {
    expect(html('```sh\na < b && c\n```')).toContain('a &#60; b &#38;&#38; c')
    expect(html('![A "new" photo](../screens/popup-en-light.png)')).toContain('<img src="/api/help/pictures/popup-en-light.png" alt="A &quot;new&quot; photo"')
  })
})

it('the address names a page and a heading', () => {
  expect(helpPart('errors/image.empty')).toEqual({ page: 'errors', heading: 'image.empty' })
  expect(helpPart('people')).toEqual({ page: 'people', heading: null })
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

it('shows the first page of the guide for a page that there is not', async () => {
  const asked = vi.spyOn(client, 'request').mockImplementation((_, path) =>
    path.endsWith('/guide/guide') ? Promise.resolve({ html: 'the guide' }) : Promise.reject(new ApiError(404, { code: 'api.not_found', cause: '', remedy: '', params: {} })),
  )
  expect(await read('no-such-page', 'zh-CN')).toBe('the guide')
  asked.mockRestore()
})
