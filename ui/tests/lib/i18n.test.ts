import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import en from '../../../assets/locales/en.json'
import zh from '../../../assets/locales/zh-CN.json'
import { gap, sentences, systemLanguage, texts } from '../../src/lib/i18n'
import { flatten, numbered, numbers } from '../../texts'

const english = flatten({ ui: en.ui, app: en.app, people_page: en.people_page, cover_page: en.cover_page, team_page: en.team_page })
const chinese = flatten({ ui: zh.ui, app: zh.app, people_page: zh.people_page, cover_page: zh.cover_page, team_page: zh.team_page })
const stem = (key: string): string => key.replace(/_(one|other)$/, '')
const stems = (keys: Iterable<string>): string[] => [...new Set([...keys].map(stem))].sort()
const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort()

function sources(folder: string): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return sources(path)
      return /\.(ts|svelte)$/.test(entry.name) ? readFileSync(path, 'utf8') : ''
    })
    .join('\n')
}

describe('the catalogues', () => {
  it('have the same texts in both languages', () => {
    expect(stems(chinese.keys())).toEqual(stems(english.keys()))
  })

  it('have no plural without its other form', () => {
    for (const catalogue of [english, chinese])
      for (const key of catalogue.keys()) if (key.endsWith('_one')) expect(catalogue.has(`${stem(key)}_other`), key).toBe(true)
    expect([...chinese.keys()].filter((key) => key.endsWith('_one'))).toEqual([])
  })

  it('have the same places to fill in both languages', () => {
    for (const [key, text] of chinese) expect(places(text), key).toEqual(places(english.get(key) ?? ''))
  })

  it('hold every text the UI asks for, and no other', () => {
    const asked = [...sources(join(import.meta.dirname, '../../src')).matchAll(/'((?:ui|app|people_page|cover_page|team_page)\.[a-z_.]+)'/g)].map((match) => match[1] ?? '')
    expect(stems(english.keys())).toEqual(stems(asked))
  })
})

describe('what is built', () => {
  it('calls each text by a number, the same for its plurals', () => {
    const known = numbers(['ui.faces_one', 'ui.faces_other', 'ui.open'])
    expect([...known]).toEqual([['ui.faces', '0'], ['ui.open', '1']])
    expect(numbered("t('ui.faces', {}) + t(`ui.open`) + 'ui.unknown' + 'ui.open.more'", known)).toBe("t('0', {}) + t(`1`) + 'ui.unknown' + 'ui.open.more'")
  })

  it('finds every key: none is put together', () => {
    const all = sources(join(import.meta.dirname, '../../src'))
    expect(all.match(/`(?:ui|app|people_page|cover_page|team_page)\.[^`]*\$|'(?:ui|app|people_page|cover_page|team_page)\.[a-z_.]*[._]'/g)).toBeNull()
  })
})

describe('texts', () => {
  it('choose the plural and write numbers the language’s way', () => {
    expect(texts('en')('ui.faces', { count: 1 })).toBe('1 face')
    expect(texts('en')('ui.faces', { count: 1234 })).toBe('1,234 faces')
    expect(texts('zh-CN')('ui.faces', { count: 1 })).toBe('1 张人脸')
  })

  it('leave a place without a parameter standing, and show a key without a text', () => {
    expect(texts('en')('ui.where_when', { folder: 'in' })).toBe('in, {when}')
    expect(texts('en')('ui.nothing_like_it')).toBe('ui.nothing_like_it')
  })

  it('do not fill in what a parameter holds', () => {
    expect(texts('en')('ui.where_when', { folder: '{when}', when: 'now' })).toBe('{when}, now')
  })

  it('follow the system until the agent has spoken', () => {
    expect(systemLanguage('zh-TW')).toBe('zh-CN')
    expect(systemLanguage('de-DE')).toBe('en')
  })
})

describe('sentences', () => {
  it('stand apart as the language has it', () => {
    expect(sentences(['Saved.', '', 'Copied.'], texts('en'))).toBe('Saved. Copied.')
    expect(sentences(['已保存。', '已复制。'], texts('zh-CN'))).toBe('已保存。已复制。')
    expect(sentences(['', ''], texts('en'))).toBe('')
    expect([gap(texts('en')), gap(texts('zh-CN'))]).toEqual([' ', ''])
  })
})
