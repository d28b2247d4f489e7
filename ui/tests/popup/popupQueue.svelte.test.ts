import { describe, expect, it } from 'vitest'

import { PopupQueue, type QueueSource } from '../../src/popup/popupQueue.svelte'
import { itemKey, MOST_ITEMS } from '../../src/popup/queueItems'
import { failed, image } from '../fixtures'

const FINISHED = { photos: 20, with_faces: 9, people: 0, failed: 0 }
const BURST = { done: 1, total: 20, rate: 1, seconds_left: 19, faces: 1, people: 0, failed: 0 }

/** A queue over what may be changed, and what it shows: the burst, what came of it, or a card's key. */
function stage(...ids: number[]): { queue: PopupQueue; come: (...ids: number[]) => void; set: (over: Partial<QueueSource>) => void; begun: Set<string>; shown: () => string | undefined } {
  const begun = new Set<string>()
  let source = $state.raw<QueueSource>({ images: ids.map((id) => image(id)), problems: [], burst: null, finished: null })
  const queue = new PopupQueue(
    () => source,
    (card) => begun.has(itemKey(card)),
  )
  const set = (over: Partial<QueueSource>): void => {
    source = { ...source, ...over }
    queue.news()
  }
  const come = (...more: number[]): void => set({ images: [...more.map((id) => image(id)), ...source.images] })
  return { queue, come, set, begun, shown: () => (queue.burst ? 'burst' : queue.finished ? 'finished' : queue.item && itemKey(queue.item)) }
}

describe('PopupQueue', () => {
  it('shows the newest, photos and failures alike', () => {
    const { come, set, shown } = stage(1)
    come(2)
    expect(shown()).toBe('photo-2')
    set({ problems: [failed(70, 9)] })
    expect(shown()).toBe('failed-70')
  })

  it('is turned through, and not beyond its ends', () => {
    const { queue, come, shown } = stage(3, 2, 1)
    queue.turn(-1)
    expect(shown()).toBe('photo-3')
    queue.turn(1)
    queue.turn(1)
    queue.turn(1)
    expect([shown(), queue.index]).toEqual(['photo-1', 2])
    come(4)
    expect(shown()).toBe('photo-4')
  })

  it('keeps the card that is held while others come, and a burst waits', () => {
    const { queue, come, set, shown } = stage(1)
    queue.hold(true)
    come(3, 2)
    set({ burst: BURST })
    expect([shown(), queue.index, queue.list.length]).toEqual(['photo-1', 2, 3])
    queue.hold(false)
    expect(shown()).toBe('burst')
    set({ burst: null })
    expect(shown()).toBe('photo-3')
  })

  it('opens on the card that comes then, though the pointer is there already or another was begun', () => {
    const { queue, come, begun, shown } = stage(3, 2, 1)
    queue.turn(1)
    begun.add('photo-2')
    queue.open()
    queue.hold(true)
    come(4)
    expect(shown()).toBe('photo-4')
    come(5)
    expect(shown()).toBe('photo-4')
  })

  it('stays on the card the user took after it opened', () => {
    const { queue, come, shown } = stage(2, 1)
    queue.open()
    queue.hold(true)
    queue.touched()
    come(3)
    expect(shown()).toBe('photo-2')
  })

  it('keeps the held card also when so many come that it is no longer read', () => {
    const { queue, set, shown } = stage(1)
    queue.hold(true)
    set({ images: Array.from({ length: 60 }, (_, index) => image(99 - index)) })
    expect([shown(), queue.index, queue.list.length]).toEqual(['photo-1', MOST_ITEMS, MOST_ITEMS + 1])
    queue.turn(-1)
    expect(queue.index).toBe(MOST_ITEMS - 1)
  })

  it('lets go of a held card that is gone', () => {
    const { queue, set, shown } = stage(3, 2, 1)
    queue.turn(1)
    queue.hold(true)
    set({ images: [image(3), image(1)] })
    expect(shown()).toBe('photo-3')
  })

  it('shows what is known of the held card now', () => {
    const { queue, set } = stage(2, 1)
    queue.hold(true)
    set({ images: [image(3), image(2, { name: 'other.jpg' })] })
    expect(queue.item).toMatchObject({ image: { id: 2, name: 'other.jpg' } })
  })

  it('comes back to a card on which something was begun, behind the burst', () => {
    const { queue, come, set, begun, shown } = stage(1)
    queue.hold(true)
    begun.add('photo-1')
    queue.hold(false)
    come(2)
    expect(shown()).toBe('photo-1')
    set({ burst: BURST })
    expect(shown()).toBe('burst')
    set({ burst: null })
    expect(shown()).toBe('photo-1')
    begun.clear()
    come(3)
    expect(shown()).toBe('photo-3')
  })

  it('keeps nothing of what lies behind a burst that is pointed at', () => {
    const { queue, set, shown } = stage(1)
    set({ burst: BURST })
    queue.hold(true)
    queue.turn(1)
    expect(shown()).toBe('burst')
    set({ burst: null })
    expect(shown()).toBe('photo-1')
  })

  it('says what came of a burst until it is left for the cards, and again of the next one', () => {
    const { queue, come, set, shown } = stage(1)
    set({ burst: BURST })
    set({ burst: null, finished: FINISHED })
    queue.hold(true)
    queue.turn(-1)
    queue.hold(false)
    come(2)
    expect(shown()).toBe('finished')
    queue.turn(1)
    come(3)
    expect(shown()).toBe('photo-3')
    set({ burst: BURST, finished: null })
    set({ burst: null, finished: FINISHED })
    expect(shown()).toBe('finished')
  })

  it('says what came of a burst behind a card on which something was begun', () => {
    const { queue, set, begun, shown } = stage(2, 1)
    queue.turn(1)
    begun.add('photo-1')
    set({ burst: BURST })
    set({ burst: null, finished: FINISHED })
    expect(shown()).toBe('photo-1')
    begun.clear()
    queue.news()
    expect(shown()).toBe('finished')
  })
})
