import { describe, expect, it } from 'vitest'

import { cardKey, cards, MOST_CARDS, position } from '../src/lib/cards'
import { failed, image } from './fixtures'

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
