/** Formats times, rates, sizes and dates. */

import type { Language, Texts } from './i18n'

/** Dates and times in English are written the way most of the world writes them. */
export function localeOf(language: Language): string {
  return language === 'en' ? 'en-GB' : language
}

/** "just now", "5 min ago", "yesterday". */
export function ago(at: string, now: number, language: Language, t: Texts): string {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000)
  if (seconds < 60) return t('ui.time.just_now')
  const words = new Intl.RelativeTimeFormat(localeOf(language), { numeric: 'auto', style: 'short' })
  if (seconds < 3600) return words.format(-Math.floor(seconds / 60), 'minute')
  if (seconds < 86_400) return words.format(-Math.floor(seconds / 3600), 'hour')
  // Days are those of the calendar: two days back isn't yesterday before its hour is reached.
  return words.format(Math.round((midnight(Date.parse(at)) - midnight(now)) / 86_400_000), 'day')
}

function midnight(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0)
}

/** Time left, no more exact than it is known. */
export function timeLeft(seconds: number | null, t: Texts): string {
  if (seconds === null) return t('ui.burst.left_unknown')
  if (seconds < 10) return t('ui.burst.left_moment')
  if (seconds < 60) return t('ui.burst.left_seconds', { count: Math.ceil(seconds / 10) * 10 })
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return t('ui.burst.left_minutes', { count: minutes })
  return t('ui.burst.left_hours', { count: Math.round(minutes / 60) })
}

/** Pixels in the unit a language counts them in: millions, or Chinese ten thousands. */
export function millions(pixels: number, language: Language): number {
  const tenThousands = Math.max(1, Math.round(pixels / 1e4))
  if (language === 'zh-CN') return tenThousands
  return tenThousands < 10 ? tenThousands / 100 : Math.round(pixels / 1e5) / 10
}

/** How long something takes, no more exact than it is known. */
export function duration(seconds: number, t: Texts): string {
  if (seconds < 90) return t('ui.time.moment')
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? t('ui.time.minutes', { count: minutes }) : t('ui.time.hours', { count: Math.round(minutes / 60) })
}

/** Photos per second, or per minute when they are slow. */
export function rate(perSecond: number, t: Texts): string {
  if (perSecond >= 10) return t('ui.burst.per_second', { rate: Math.round(perSecond) })
  if (perSecond >= 1) return t('ui.burst.per_second', { rate: Math.round(perSecond * 10) / 10 })
  return t('ui.burst.per_minute', { rate: Math.round(perSecond * 60) })
}

/** Dates as "14 Nov 2026": the one form they have on every page. */
export function dateFormat(language: Language): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: 'medium' })
}

/** "Saturday, 14 Nov 2026". */
export function day(at: Date, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { weekday: 'long', day: 'numeric', month: 'short', year: 'numeric' }).format(at)
}

/** "14 Nov 2026, 17:06". */
export function moment(at: Date, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: 'medium', timeStyle: 'short' }).format(at)
}

/** "17:06", or with the day when that is not today. */
export function clock(at: Date, now: number, language: Language): string {
  const today = at.toDateString() === new Date(now).toDateString()
  const day: Intl.DateTimeFormatOptions = today ? {} : { weekday: 'long' }
  return new Intl.DateTimeFormat(localeOf(language), { ...day, hour: '2-digit', minute: '2-digit' }).format(at)
}

/** Points of a small plot without axes, the newest value at the right, for `<polyline points>`. */
export function sparkline(values: readonly number[], width: number, height: number): string {
  const top = Math.max(...values, 1e-9)
  const step = width / Math.max(1, values.length - 1)
  return values.map((value, index) => `${(index * step).toFixed(1)},${(height - (value / top) * (height - 2) - 1).toFixed(1)}`).join(' ')
}

/** "3.1 MB", "412 kB". */
export function bytes(count: number, language: Language): string {
  const steps = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const
  // What would be rounded to a thousand is one of the next unit.
  const step = Math.max(0, steps.findLastIndex((_, index) => Math.round(count / 1000 ** index) >= 1000))
  const value = count / 1000 ** (step + 1)
  const unit = steps[step] as (typeof steps)[number]
  const digits: Intl.NumberFormatOptions = { maximumFractionDigits: step === 0 || value >= 100 ? 0 : 1 }
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short', ...digits }).format(value)
}
