/** Values of settings: parsing, bounds, search, grouping. Without Svelte and without texts. */

import type { Estimate, Setting, SettingGroup, Value } from '../api/settingsApi'
import { synonymsOf } from './synonyms'

/** What is wrong with what was typed, or the value it stands for. */
export type Typed = { readonly value: Value } | { readonly wrong: 'bounds' | 'whole' | 'number' }

const wholeOnly = ({ step }: Setting): boolean => step === null || Number.isInteger(step)

/** Reads a field's text. Bounds of numbers are known here; what only the agent knows, it says. */
export function typed(setting: Setting, text: string): Typed {
  if (setting.kind === 'list') return { value: lines(text) }
  if (isTimeOfDay(setting)) return { value: timeOfDay(text) }
  if (setting.kind !== 'number') return { value: text.trim() }
  // In both languages a comma groups thousands.
  const digits = text.trim().replaceAll(',', '')
  const number = Number(digits)
  if (digits === '' || !Number.isFinite(number)) return { wrong: 'number' }
  if (wholeOnly(setting) && !Number.isInteger(number)) return { wrong: 'whole' }
  const { minimum, maximum } = setting
  if ((minimum !== null && number < minimum) || (maximum !== null && number > maximum)) return { wrong: 'bounds' }
  return { value: number }
}

/** The text a field begins with. */
export function shown(value: Value): string {
  return Array.isArray(value) ? value.join('\n') : String(value)
}

/** One pattern a line. */
export function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

export function same(a: Value | null, b: Value | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** A time of day as it is kept, `07:30`, also for `7:30`, `730` and `7`; other text stays as it is, so that the agent refuses it. */
function timeOfDay(text: string): string {
  const [, hour, minute = '00'] = /^(\d{1,2})(?:[:：.]?(\d{2}))?$/.exec(text.trim()) ?? []
  return hour === undefined ? text.trim() : `${hour.padStart(2, '0')}:${minute}`
}

/** A time of day, `22:00`; an empty text is never. A browser's own field would show it by the browser's clock of 12 or 24 hours, not by ours. */
export function isTimeOfDay({ kind, key }: Setting): boolean {
  return kind === 'text' && /^popup\.quiet_(from|until)$/.test(key)
}

/** How well a name is spelled by what was typed, as in pinyin: 3 is not at all. */
type Spelled = (name: string, typed: string) => number

const HAN = /\p{Script=Han}/u

/**
 * Groups with the settings that match every word: in title and help of any language, key, a choice, or another name for it; groups without any are
 * left out, but for one whose own names match.
 *
 * @param spelled finds Chinese titles by pinyin
 */
export function search(groups: readonly SettingGroup[], wanted: string, spelled: Spelled | null = null): SettingGroup[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (text: string, titles: readonly string[]): boolean =>
    words.every((word) => text.includes(word) || (spelled !== null && titles.some((title) => HAN.test(title) && spelled(title, word) < 3)))
  const matches = (group: SettingGroup, setting: Setting): boolean => {
    const { title, help, also, key, choices } = setting
    const text = [group.title, title, help, also, key, ...choices.map((choice) => choice.title), synonymsOf(group.name, key)].join(' ').toLowerCase()
    return fits(text, [group.title, title, ...choices.map((choice) => choice.title)])
  }
  return groups
    .map((group) => ({ ...group, settings: group.settings.filter((setting) => matches(group, setting)) }))
    .filter((group, index) => group.settings.length > 0 || (groups[index]?.settings.length === 0 && fits(`${group.title} ${synonymsOf(group.name, '')}`.toLowerCase(), [group.title])))
}

/** Groups with one setting put in the place of its old state. */
export function replaced(groups: readonly SettingGroup[], setting: Setting): SettingGroup[] {
  return groups.map((group) => ({ ...group, settings: group.settings.map((old) => (old.key === setting.key ? setting : old)) }))
}

/** What people look for first, first. */
const ORDER = ['general', 'folders', 'popup', 'recognition', 'detection', 'engine', 'library', 'tray']

export function ordered<G extends { readonly name: string }>(groups: readonly G[]): G[] {
  const place = ({ name }: G): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)
  return [...groups].sort((a, b) => place(a) - place(b))
}

export type Count = Pick<Estimate, 'images' | 'seconds' | 'more'>

/** Estimates of several folders together. */
export function total(estimates: readonly Count[]): Count {
  return {
    images: estimates.reduce((sum, { images }) => sum + images, 0),
    seconds: estimates.reduce((sum, { seconds }) => sum + seconds, 0),
    more: estimates.some(({ more }) => more),
  }
}
