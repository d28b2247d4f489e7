import { describe, expect, it } from 'vitest'

import { append, cardKey, cards, mergeFirstPage, MOST_CARDS, position } from '../src/lib/cards'
import { failed, image } from './fixtures'

const ids = (page: { items: readonly { id: number }[] }): number[] => page.items.map(({ id }) => id)

describe('cards', () => {
  it('mix photos and failures, newest first, and only the last few', () => {
    const images = [9, 8, 7, 6, 5, 4, 3, 2, 1].map((id) => image(id))
    const all = cards(images, [failed(70, 8.5), failed(71, 0)])
    expect(all.map(cardKey).slice(0, 3)).toEqual(['photo-9', 'failed-70', 'photo-8'])
    expect(all).toHaveLength(MOST_CARDS)
  })

  it('stay where one looks while others come and go', () => {
    const all = cards([image(3), image(2), image(1)], [])
    expect(position(all, 'photo-2')).toBe(1)
    expect(position(all, 'photo-77')).toBe(0)
    expect(position(all, null)).toBe(0)
  })
})

describe('mergeFirstPage', () => {
  const old = { items: [image(6), image(5), image(4), image(3)], next: 3 }

  it('puts new photos before what was loaded further back', () => {
    const merged = mergeFirstPage({ items: [image(8), image(7), image(6), image(5)], next: 5 }, old)
    expect(ids(merged)).toEqual([8, 7, 6, 5, 4, 3])
    expect(merged.next).toBe(3)
  })

  it('drops a photo that has gone', () => {
    expect(ids(mergeFirstPage({ items: [image(6), image(4)], next: 4 }, old))).toEqual([6, 4, 3])
  })

  it('starts anew when more came than a page holds', () => {
    const page = { items: [image(99), image(98)], next: 98 }
    expect(mergeFirstPage(page, old)).toBe(page)
  })

  it('takes a page without a next one as the whole', () => {
    const page = { items: [image(6)], next: null }
    expect(mergeFirstPage(page, old)).toBe(page)
  })

  it('appends older photos once', () => {
    expect(append(old, { items: [image(3), image(2)], next: null })).toEqual({ items: [...old.items, image(2)], next: null })
  })
})
