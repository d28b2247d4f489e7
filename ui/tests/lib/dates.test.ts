import { describe, expect, it } from 'vitest'

import { dayOf, dayOfParts, partsOfDay, spanOf, spanText, usualSpans } from '../../src/lib/dates'
import { texts } from '../../src/lib/i18n'

const TODAY = new Date(2026, 10, 25)
const t = texts('en')

describe('days', () => {
  it('are those of the local calendar', () => {
    expect(dayOf(new Date(2026, 0, 3, 23, 59))).toBe('2026-01-03')
  })

  it('are typed part by part, and are one once all of it is there and within the bounds', () => {
    const typed = (year: string, month: string, day: string, least: string | null = null, most: string | null = null) => dayOfParts({ year, month, day }, least, most)
    expect(typed('2025', '02', '9')).toBe('2025-02-09')
    expect(typed('', '', '')).toBeNull()
    for (const [year, month, day] of [['2025', '', ''], ['202', '2', '9'], ['2025', '2', '30'], ['2025', '13', '1']] as const) expect(typed(year, month, day)).toBeUndefined()
    expect(typed('2025', '2', '9', '2025-02-10')).toBeUndefined()
    expect(typed('2025', '2', '9', null, '2025-02-08')).toBeUndefined()
    expect(partsOfDay('2025-02-09')).toEqual({ year: '2025', month: '02', day: '09' })
    expect(partsOfDay(null)).toEqual({ year: '', month: '', day: '' })
  })

  it('make the usual spans', () => {
    expect(usualSpans(TODAY, t).map(({ after, before }) => [after, before])).toEqual([
      ['2026-11-19', null],
      ['2026-11-01', null],
      ['2026-01-01', null],
      ['2025-01-01', '2025-12-31'],
    ])
  })

  it('are searched for as they are written', () => {
    const span = (text: string) => spanOf(text, TODAY, 'zh-CN')
    expect(span('2012')).toEqual({ after: '2012-01-01', before: '2012-12-31', name: '2012年' })
    for (const text of ['2012-02', '2012-2', '2012/02', '2012.02', '2012年2月', '2012年 2月']) expect(span(text)).toEqual({ after: '2012-02-01', before: '2012-02-29', name: '2012年2月' })
    for (const text of ['2012-02-29', '2012/2/29', '2012年2月29日', '2012年2月29']) expect(span(text)).toEqual({ after: '2012-02-29', before: '2012-02-29', name: '2012年2月29日' })
    expect(spanOf('2012-02-03', TODAY, 'en')?.name).toBe('3 February 2012')
    for (const text of ['', '12', '1825', '2027', '4890', '20120229', '2012-13', '2012-00', '2011-02-29', '2012-02-', '2012 lisbon', 'IMG_2012']) expect(span(text)).toBeNull()
  })

  it('are said in words', () => {
    expect(spanText({ after: '2026-11-01', before: null }, TODAY, 'en', t)).toBe('This month')
    expect(spanText({ after: '2026-10-03', before: null }, TODAY, 'en', t)).toBe('Since 3 Oct 2026')
    expect(spanText({ after: null, before: '2026-10-03' }, TODAY, 'en', t)).toBe('Until 3 Oct 2026')
    expect(spanText({ after: '2026-10-03', before: '2026-10-09' }, TODAY, 'en', t)).toMatch(/3\s?–\s?9 Oct 2026/)
    expect(spanText({ after: null, before: null }, TODAY, 'en', t)).toBe('Any date')
  })
})
