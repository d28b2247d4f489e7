import { describe, expect, it } from 'vitest'

import { ago, bytes, dateFormat, day, millions, rate, sparkline, timeLeft } from '../../src/lib/format'
import { texts } from '../../src/lib/i18n'

const en = texts('en')
const zh = texts('zh-CN')
const NOW = Date.parse('2026-11-25T12:00:00Z')
const before = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString()

describe('ago', () => {
  it('grows coarser with distance', () => {
    expect(ago(before(20), NOW, 'en', en)).toBe('just now')
    expect(ago(before(125), NOW, 'en', en)).toBe('2 min ago')
    expect(ago(before(7200), NOW, 'en', en)).toBe('2 hr ago')
    expect(ago(before(90_000), NOW, 'zh-CN', zh)).toBe('昨天')
  })

  it('counts days by the calendar', () => {
    const morning = new Date(2026, 10, 25, 1).getTime()
    expect(ago(new Date(2026, 10, 24, 0, 30).toISOString(), morning, 'en', en)).toBe('yesterday')
    expect(ago(new Date(2026, 10, 23, 23).toISOString(), morning, 'en', en)).toBe('2 days ago')
    expect(ago(new Date(2026, 10, 23, 23).toISOString(), morning, 'zh-CN', zh)).toBe('前天')
  })

  it('calls a time ahead of this clock just now', () => {
    expect(ago(before(-500), NOW, 'zh-CN', zh)).toBe('刚刚')
  })
})

describe('timeLeft', () => {
  it('is no more exact than it is known', () => {
    expect(timeLeft(null, en)).toBe('Working out the time left')
    expect(timeLeft(4, en)).toBe('A few seconds left')
    expect(timeLeft(34, en)).toBe('About 40 seconds left')
    expect(timeLeft(65, en)).toBe('About 1 minute left')
    expect(timeLeft(123, zh)).toBe('大约还要 2 分钟')
    expect(timeLeft(7300, en)).toBe('About 2 hours left')
  })
})

describe('rate', () => {
  it('changes its unit when photos are slow', () => {
    expect(rate(22.4, en)).toBe('22 photos/s')
    expect(rate(3.24, zh)).toBe('3.2 张/秒')
    expect(rate(0.5, en)).toBe('30 photos/min')
  })
})

describe('days', () => {
  it('have the form of all dates, after the day of the week', () => {
    const date = new Date(2026, 10, 14)
    expect(day(date, 'en')).toMatch(/^Saturday,? 14 Nov 2026$/)
    expect(day(date, 'zh-CN')).toBe('2026年11月14日星期六')
    expect([dateFormat('en').format(date), dateFormat('zh-CN').format(date)]).toEqual(['14 Nov 2026', '2026年11月14日'])
  })
})

describe('bytes', () => {
  it('are written in the unit that fits', () => {
    expect(bytes(512, 'en')).toBe('1 kB')
    expect(bytes(411_800, 'en')).toBe('412 kB')
    expect(bytes(3_140_000, 'zh-CN')).toMatch(/^3.1 ?MB$/)
    expect(bytes(0, 'en')).toBe('0 kB')
    expect(bytes(999_999, 'en')).toBe('1 MB')
    expect(bytes(999_960_000, 'en')).toBe('1 GB')
    expect(bytes(99_960_000, 'en')).toBe('100 MB')
  })
})

describe('sparkline', () => {
  it('spans the plot from the oldest value to the newest', () => {
    expect(sparkline([0, 5, 10], 100, 20)).toBe('0.0,19.0 50.0,10.0 100.0,1.0')
    expect(sparkline([0, 0], 100, 20)).toBe('0.0,19.0 100.0,19.0')
  })
})

describe('millions', () => {
  it('are counted in ten thousands in Chinese', () => {
    expect([millions(2_137_880, 'en'), millions(2_137_880, 'zh-CN'), millions(9, 'zh-CN')]).toEqual([2.1, 214, 1])
    expect([millions(112 * 112, 'en'), millions(99_999, 'en'), millions(1, 'en')]).toEqual([0.01, 0.1, 0.01])
  })
})
