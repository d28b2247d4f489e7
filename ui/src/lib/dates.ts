/** Dates and date ranges of the library's filter. */

import { dateFormat, day, localeOf } from './format'
import type { Language, Texts } from './i18n'

const OLDEST_PHOTO = 1826

export interface DateRange {
  /** "2026-11-14"; both days are in it */
  readonly after: string | null
  readonly before: string | null
}

/** A date's day by the local calendar. */
export function dayOf(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** A day as it is typed: numbers, or nothing yet. */
export interface DayParts {
  readonly year: string
  readonly month: string
  readonly day: string
}

export function partsOfDay(day: string | null): DayParts {
  const [year = '', month = '', date = ''] = (day ?? '').split('-')
  return { year, month, day: date }
}

/** The day that was typed, null for none; undefined while it is not one, or not between the bounds. */
export function dayOfParts({ year, month, day }: DayParts, least: string | null, most: string | null): string | null | undefined {
  if (year === '' && month === '' && day === '') return null
  const date = new Date(Number(year), Number(month) - 1, Number(day), 12)
  // A year that is still being typed is none: it would find nothing.
  if (Number(year) < 1000 || date.getMonth() + 1 !== Number(month) || date.getDate() !== Number(day)) return undefined
  const typed = dayOf(date)
  return (least !== null && typed < least) || (most !== null && typed > most) ? undefined : typed
}

/** Noon of a day by the local calendar, where no change of the clock can make it another day. */
export function localDay(since1970: number): Date {
  return new Date(1970, 0, 1 + since1970, 12)
}

/** The spans one asks for most. */
export function usualSpans(today: Date, t: Texts): readonly (DateRange & { readonly title: string })[] {
  const year = today.getFullYear()
  const month = today.getMonth()
  const back = (days: number): string => dayOf(new Date(year, month, today.getDate() - days))
  return [
    { title: t('ui.library.date.week'), after: back(6), before: null },
    { title: t('ui.library.date.month'), after: dayOf(new Date(year, month, 1)), before: null },
    { title: t('ui.library.date.year'), after: dayOf(new Date(year, 0, 1)), before: null },
    { title: t('ui.library.date.last_year'), after: dayOf(new Date(year - 1, 0, 1)), before: dayOf(new Date(year - 1, 11, 31)) },
  ]
}

const DATED = /^([12]\d{3})(?:(?:[-/.]|年\s?)(\d{1,2})(?:(?:[-/.]|月\s?)(\d{1,2})日?|月)?|年)?$/

/** The year, month or day that a text is, such as "2012", "2012-05" or "2012年5月", and its name; null for any other text. */
export function spanOf(text: string, today: Date, language: Language): (DateRange & { readonly name: string }) | null {
  const [, year, month, date] = (DATED.exec(text) ?? []).map((part) => (part === undefined ? undefined : Number(part)))
  if (year === undefined || year < OLDEST_PHOTO || year > today.getFullYear()) return null
  const first = new Date(year, (month ?? 1) - 1, date ?? 1, 12)
  const last = month === undefined ? new Date(year, 11, 31, 12) : date === undefined ? new Date(year, month, 0, 12) : first
  if (month !== undefined && (first.getMonth() + 1 !== month || (date !== undefined && first.getDate() !== date))) return null
  const parts: Intl.DateTimeFormatOptions = { year: 'numeric', ...(month !== undefined && { month: 'long' }), ...(date !== undefined && { day: 'numeric' }) }
  return { after: dayOf(first), before: dayOf(last), name: new Intl.DateTimeFormat(localeOf(language), parts).format(first) }
}

/** A span in words. */
export function spanText({ after, before }: DateRange, today: Date, language: Language, t: Texts): string {
  if (after === null && before === null) return t('ui.library.date.any')
  const usual = usualSpans(today, t).find((span) => span.after === after && span.before === before)
  if (usual) return usual.title
  const format = dateFormat(language)
  const date = (day: string): Date => new Date(`${day}T12:00:00`)
  if (after !== null && before !== null) {
    // Chinese has another form of dates for ranges.
    return language === 'en' ? format.formatRange(date(after), date(before)) : `${format.format(date(after))} – ${format.format(date(before))}`
  }
  if (after !== null) return t('ui.library.date.since', { date: format.format(date(after)) })
  return t('ui.library.date.until', { date: format.format(date(before as string)) })
}

/** Names of days, counted since 1970; each is formatted once. */
export function dayNames(language: Language): (date: number) => string {
  const known = new Map<number, string>()
  return (date) => {
    const words = known.get(date) ?? day(localDay(date), language)
    known.set(date, words)
    return words
  }
}
