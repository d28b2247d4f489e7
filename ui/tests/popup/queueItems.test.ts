import { describe, expect, it } from 'vitest'

import { itemKey, MOST_ITEMS, queueItems } from '../../src/popup/queueItems'
import { failed, image } from '../fixtures'

describe('cards', () => {
  it('mix photos and failures, newest first, and only the last few', () => {
    const images = [9, 8, 7, 6, 5, 4, 3, 2, 1].map((id) => image(id))
    const all = queueItems(images, [failed(70, 8.5), failed(71, 0)])
    expect(all.map(itemKey).slice(0, 3)).toEqual(['photo-9', 'failed-70', 'photo-8'])
    expect(all).toHaveLength(MOST_ITEMS)
  })
})
