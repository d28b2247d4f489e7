import { spelled } from '../../src/lib/pinyin'
import { describe, expect, it } from 'vitest'

import type { Setting, SettingGroup } from '../../src/api/settingsApi'
import { ordered, replaced, search, shown, total, typed } from '../../src/settings/settingValues'
import { setting } from '../fixtures'

const groups: readonly SettingGroup[] = [
  { name: 'popup', title: 'Popup', advanced: false, settings: [setting(), setting({ key: 'popup.corner', title: 'Corner', kind: 'choice', choices: [{ value: 'top-left', title: 'Top left' }] })] },
  { name: 'engine', title: 'Engine', advanced: false, settings: [setting({ key: 'engine.max_memory_mb', title: 'Memory', help: 'For all processes.' })] },
]

describe('what is typed', () => {
  it('is a number inside its bounds, thousands grouped or not', () => {
    const memory = setting({ minimum: 300, maximum: 8_000 })
    expect(typed(memory, ' 1,200 ')).toEqual({ value: 1200 })
    expect(typed(memory, '200')).toEqual({ wrong: 'bounds' })
    expect(typed(memory, '8001')).toEqual({ wrong: 'bounds' })
    expect(typed(memory, '')).toEqual({ wrong: 'number' })
    expect(typed(memory, 'many')).toEqual({ wrong: 'number' })
  })

  it('is whole where parts mean nothing', () => {
    expect(typed(setting({ step: 1 }), '3.5')).toEqual({ wrong: 'whole' })
    expect(typed(setting({ step: 0.01, minimum: 0, maximum: 1 }), '0.35')).toEqual({ value: 0.35 })
  })

  it('is a time of day by the clock of 24 hours, however short it is written', () => {
    const quiet = setting({ key: 'popup.quiet_from', kind: 'text', value: '' })
    for (const text of ['07:30', '7:30', '730', '7.30', '7：30 ']) expect(typed(quiet, text)).toEqual({ value: '07:30' })
    expect(typed(quiet, '22')).toEqual({ value: '22:00' })
    expect(typed(quiet, '')).toEqual({ value: '' })
    expect(typed(quiet, 'noon')).toEqual({ value: 'noon' })
  })

  it('is a pattern a line, without empty ones', () => {
    const list = setting({ kind: 'list', value: ['*.tmp'] })
    expect(typed(list, ' *.jpg \n\n Private\n')).toEqual({ value: ['*.jpg', 'Private'] })
    expect(shown(['*.jpg', 'Private'])).toBe('*.jpg\nPrivate')
  })
})

describe('the search', () => {
  it('finds every word in title, help, key or choice', () => {
    expect(search(groups, 'MEMORY proc').map(({ name }) => name)).toEqual(['engine'])
    expect(search(groups, 'top left').flatMap(({ settings }) => settings.map(({ key }) => key))).toEqual(['popup.corner'])
    expect(search(groups, 'popup').flatMap(({ settings }: SettingGroup): Setting[] => [...settings])).toHaveLength(2)
    expect(search(groups, 'memory banana')).toEqual([])
  })

  it('finds a setting by what people call it, and by pinyin', () => {
    const one = (name: string, key: string, title: string): SettingGroup => ({ name, title: name, advanced: false, settings: [setting({ key, title, help: '', also: '' })] })
    const all = [one('general', 'general.theme', '外观'), one('engine', 'engine.device', 'Device'), one('popup', 'popup.corner', '位置')]
    const keys = (wanted: string): string[] => search(all, wanted, spelled).flatMap(({ settings }) => settings.map(({ key }) => key))
    expect([keys('dark'), keys('深色'), keys('gpu'), keys('显卡'), keys('notification position')]).toEqual([['general.theme'], ['general.theme'], ['engine.device'], ['engine.device'], ['popup.corner']])
    expect([keys('waiguan'), keys('wz')]).toEqual([['general.theme'], ['popup.corner']])
  })

  it('finds the folders, which are no settings of one value', () => {
    const folders = [{ name: 'folders', title: 'Watched folders', advanced: false, settings: [] }]
    expect(search(folders, 'directory')).toHaveLength(1)
    expect(search(folders, 'gpu')).toEqual([])
  })
})

it('a saved setting takes the place of its old state', () => {
  const after = replaced(groups, setting({ value: 30 }))
  expect(after[0]?.settings[0]?.value).toBe(30)
  expect(after[1]).toEqual(groups[1])
})

it('groups stand in the order they are looked for, unknown ones last', () => {
  expect(ordered([{ name: 'logs' }, { name: 'popup' }, { name: 'general' }, { name: 'api' }]).map(({ name }) => name)).toEqual(['general', 'popup', 'logs', 'api'])
})

it('a setting is found by its words in either language, and by its key', () => {
  const groups = [{ name: 'popup', title: 'Popup', advanced: false, settings: [setting({ also: '自动隐藏 指针停在上面时不会隐藏。' })] }]
  for (const wanted of ['hide AFTER', '自动隐藏', 'popup.seconds', 'popup 指针']) expect(search(groups, wanted)).toHaveLength(1)
  expect(search(groups, '托盘')).toEqual([])
})

describe('folders', () => {
  it('are estimated together', () => {
    expect(total([{ images: 10, seconds: 2, more: false }, { images: 5, seconds: 1, more: true }])).toEqual({ images: 15, seconds: 3, more: true })
    expect(total([])).toEqual({ images: 0, seconds: 0, more: false })
  })
})
