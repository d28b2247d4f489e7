import { describe, expect, it, vi } from 'vitest'

import type { Edit } from '../../src/api/peopleApi'
import type { Doubt, Edited } from '../../src/api/types'
import { texts } from '../../src/lib/i18n'
import { Toasts } from '../../src/lib/toasts.svelte'
import { Review } from '../../src/people/review.svelte'

function doubt(id: number): Doubt {
  const face = { id, image_id: id, width: 400, height: 300, box: [10, 10, 20, 20] as const, taken_at: '2026-11-14T10:00:00' }
  return { face, person_id: 1, person: 'Mei', agree: 2, references: 3, shown: [] }
}

/** An agent with these doubts; an answer takes one away, and taking it back brings it again at the end. */
function world(ids: readonly number[]) {
  let there = [...ids]
  let refuse = false
  const told: string[] = []
  const make = vi.fn((edit: Edit): Promise<Edited | null> => {
    if (refuse) return Promise.resolve(null)
    const id = 'face_ids' in edit ? (edit.face_ids[0] as number) : 0
    told.push(`${edit.kind} ${id}`)
    there = there.filter((one) => one !== id)
    return Promise.resolve({ undo: String(id), count: 1, person_id: 1 })
  })
  const back = vi.fn((token: string | null = null): Promise<boolean> => {
    there = [...there, Number(token)]
    return Promise.resolve(true)
  })
  const doubts = vi.fn((limit: number) => Promise.resolve({ items: there.slice(0, limit).map(doubt), total: there.length }))
  const review = new Review({ doubts }, { make, back }, { read: (work) => work(), t: texts('en') }, new Toasts({ t: texts('en') }))
  return { review, told, back, doubts, refuse: () => (refuse = true), turn: () => (there = there.toReversed()) }
}

const queue = ({ queue }: Review): number[] => queue.map(({ face }) => face.id)

describe('the review', () => {
  it('goes on at once, and tells the agent one answer after the other', async () => {
    const { review, told } = world([1, 2, 3])
    await review.read()
    expect([review.position, review.of]).toEqual([1, 3])
    const answers = [review.give('yes'), review.give('no')]
    expect(queue(review)).toEqual([3])
    await Promise.all(answers)
    expect(told).toEqual(['name 1', 'reject 2'])
    expect([review.position, review.of]).toEqual([3, 3])
  })

  it('leaves a skipped face for later, without an edit', async () => {
    const { review, told } = world([1, 2])
    await review.read()
    await review.give('skip')
    expect(queue(review)).toEqual([2])
    expect([review.position, review.of]).toEqual([2, 2])
    await review.give('skip')
    expect(review.current).toBeUndefined()
    expect(review.left).toBe(2)
    review.anew()
    expect(queue(review)).toEqual([1, 2])
    expect([review.position, review.of]).toEqual([1, 2])
    expect(told).toEqual([])
  })

  it('takes back answer after answer, and asks what was asked', async () => {
    const { review, back } = world([1, 2, 3])
    await review.read()
    await review.give('yes')
    await review.give('skip')
    await review.give('no')
    await review.back()
    expect(back).toHaveBeenLastCalledWith('3')
    expect(queue(review)).toEqual([3])
    await review.back()
    await review.back()
    expect(back).toHaveBeenLastCalledWith('1')
    expect(review.current?.face.id).toBe(1)
    expect([review.position, review.of]).toEqual([1, 3])
    await review.back()
    expect(back).toHaveBeenCalledTimes(2)
  })

  it('asks again at once: a quick answer is for the face that was taken back', async () => {
    const { review, told, back } = world([1, 2, 3])
    await review.read()
    await review.give('yes')
    const taken = review.back()
    expect([review.position, review.of]).toEqual([1, 3])
    await Promise.all([taken, review.read(), review.give('no')])
    expect(back).toHaveBeenCalledTimes(1)
    expect(told).toEqual(['name 1', 'reject 1'])
    expect(queue(review)).toEqual([2, 3])
    expect([review.position, review.of]).toEqual([2, 3])
  })

  it('goes on asking about the same face, whatever comes first for the agent now', async () => {
    const { review, turn } = world([1, 2, 3])
    await review.read()
    turn()
    await review.read()
    expect(queue(review)).toEqual([1, 3, 2])
  })

  it('asks again about what the agent did not take', async () => {
    const { review, refuse } = world([1, 2])
    await review.read()
    refuse()
    await review.give('yes')
    expect(queue(review)).toEqual([2, 1])
    expect(review.given).toEqual([])
  })

  it('does not ask again what is being told', async () => {
    const { review } = world([1, 2])
    await review.read()
    const answer = review.give('yes')
    const reading = review.read()
    expect(queue(review)).toEqual([2])
    await Promise.all([answer, reading])
    expect(queue(review)).toEqual([2])
  })

  it('reads beyond what was skipped', async () => {
    const { review, doubts } = world(Array.from({ length: 100 }, (_, index) => index + 1))
    await review.read()
    expect(doubts).toHaveBeenLastCalledWith(30)
    await review.give('skip')
    await review.read()
    expect(doubts).toHaveBeenLastCalledWith(31)
  })
})
