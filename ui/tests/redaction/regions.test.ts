import { describe, expect, it } from 'vitest'

import type { CaptureOut, RedactedOut } from '../../src/api/types'
import { alike, area, boxAt, byHand, captureChange, coveredAt, drawn, fileName, firstStep, inTheMiddle, knownOn, marksOf, middleOf, nextDoubtful, nudged, redone, type Region, step, styled, styleOf, toggled, undone, whole, without } from '../../src/redaction/regions'

const face: Region = { box: [10, 20, 30, 40], tilt: 0, style: 'solid', shape: 'ellipse', reason: 'face', covered: true, score: 0.9, doubts: [], visible: [] }
const size = { width: 1000, height: 500 }
const fit = { x: 10, y: 20, width: 500, height: 250 }

describe('the marks of a picture', () => {
  it('are covered and shown one by one', () => {
    expect(toggled([face, face], 1).map(({ covered }) => covered)).toEqual([true, false])
    expect(toggled(toggled([face], 0), 0)).toEqual([face])
  })

  it('look alike once a style is chosen, and the look of most is theirs', () => {
    const mixed = [face, { ...face, style: 'blur' as const }, { ...face, style: 'blur' as const }]
    expect(styleOf(mixed)).toBe('blur')
    expect(styleOf([])).toBe('solid')
    expect(styled(mixed, 'emoji').map(({ style }) => style)).toEqual(['emoji', 'emoji', 'emoji'])
  })

  it('are the same if they cover the same', () => {
    expect(alike([face], [{ ...face }])).toBe(true)
    expect(alike([face], [])).toBe(false)
  })
})

describe('what moves', () => {
  const moving: Region = { ...face, way: [[2, 10, 20, 30, 40], [4, 20, 20, 30, 50]], visible: [[3, 3]] }

  it('is where its way says, straight between, and nowhere before and after', () => {
    expect([1, 2, 3, 4, 5].map((moment) => boxAt(moving, moment))).toEqual([null, [10, 20, 30, 40], [15, 20, 30, 45], [20, 20, 30, 50], null])
    expect(boxAt(face, 3)).toEqual(face.box)
    expect(middleOf(moving)).toBe(4)
  })

  it('may show in some frames, and is covered in all of them first', () => {
    expect([2, 3, 4].map((moment) => coveredAt(moving, moment))).toEqual([true, false, true])
    expect(whole(moving)).toBe(false)
    const once = toggled([moving], 0)
    expect(once).toEqual([{ ...moving, visible: [] }])
    expect(once[0] && whole(once[0])).toBe(true)
    expect(toggled(once, 0)[0]?.covered).toBe(false)
  })

  it('has areas of its own, on one page or in all frames, that move by key', () => {
    expect(boxAt(area([1, 2, 30, 40], 'solid'), 9)).toEqual([1, 2, 30, 40])
    const page = area([1, 2, 30, 40], 'solid', 3)
    expect([boxAt(page, 2), boxAt(page, 3)]).toEqual([null, [1, 2, 30, 40]])
    const moved = nudged([page], 0, 'ArrowRight', size, false)?.[0]
    expect(moved && boxAt(moved, 3)).toEqual([11, 2, 30, 40])
  })
})

describe('what was done', () => {
  it('is taken back and done again, until something else is done', () => {
    const first = step(firstStep([face]), [])
    const before = undone(first)
    expect(before?.now).toEqual([face])
    expect(before && redone(before)?.now).toEqual([])
    expect(undone(firstStep([]))).toBeNull()
    expect(redone(step(before ?? first, [face, face]))).toBeNull()
  })
})

describe('an area', () => {
  it('is drawn from any corner, in pixels of the picture', () => {
    expect(drawn([60, 70], [110, 45], fit, size)).toEqual([100, 50, 100, 50])
  })

  it('ends where the picture does', () => {
    expect(drawn([-50, 0], [9_999, 9_999], fit, size)).toEqual([0, 0, 1000, 500])
  })

  it('is none if the hand slipped, or never touched the picture', () => {
    expect(drawn([60, 70], [63, 73], fit, size)).toBeNull()
    expect(drawn([0, 0], [9, 200], fit, size)).toBeNull()
  })

  it('is moved and changed in size by key, and stays on the picture', () => {
    const marks = [face, area(inTheMiddle(size), 'solid')]
    expect(marks[1]?.box).toEqual([450, 200, 100, 100])
    expect(nudged(marks, 1, 'ArrowRight', size, false)?.[1]?.box).toEqual([460, 200, 100, 100])
    expect(nudged(marks, 1, 'ArrowUp', size, true)?.[1]?.box).toEqual([450, 200, 100, 90])
    expect(nudged([area([0, 0, 10, 10], 'solid')], 0, 'ArrowLeft', size, false)?.[0]?.box).toEqual([0, 0, 10, 10])
    expect(nudged([area([900, 0, 100, 10], 'solid')], 0, 'ArrowRight', size, true)?.[0]?.box).toEqual([900, 0, 100, 10])
    expect(nudged([area([0, 0, 10, 10], 'solid')], 0, 'ArrowLeft', size, true)?.[0]?.box).toEqual([0, 0, 10, 10])
  })

  it('alone moves: a face stays where it is', () => {
    expect(nudged([face], 0, 'ArrowRight', size, false)).toBeNull()
    expect(nudged([area([0, 0, 9, 9], 'solid')], 0, 'a', size, false)).toBeNull()
  })

  it('is removed', () => {
    const marks = [face, area([0, 0, 9, 9], 'blur')]
    expect(marks.map(byHand)).toEqual([false, true])
    expect(without(marks, 1)).toEqual([face])
  })
})

describe('the next doubtful copy', () => {
  const item = (id: number, state: string): RedactedOut => ({ id, state }) as RedactedOut

  it('is the one after this, else the first, else none', () => {
    const items = [item(1, 'needs_review'), item(2, 'needs_review'), item(3, 'done'), item(4, 'needs_review')]
    expect(nextDoubtful(items, 2)?.id).toBe(4)
    expect(nextDoubtful(items, 4)?.id).toBe(1)
    expect(nextDoubtful(items, 99)?.id).toBe(1)
    expect(nextDoubtful([item(1, 'needs_review')], 1)).toBeNull()
  })
})

it('a file’s name is the last part of a path of any system', () => {
  expect([fileName('/a/b.jpg'), fileName('C:\\a\\b.jpg'), fileName('b.jpg')]).toEqual(['b.jpg', 'b.jpg', 'b.jpg'])
})

describe('a capture of the screen', () => {
  const seen = (person: string | null, certainty: CaptureOut['faces'][number]['certainty'], covered = true): CaptureOut['faces'][number] => ({ box: [100, 100, 40, 60], score: 0.9, person_id: null, person, certainty, covered })
  const capture = { faces: [seen('Mei', 'certain'), seen('Mei', 'confirmed', false), seen('Lin', 'probable'), seen(null, null)], drawn: [[1, 2, 3, 4] as const], style: 'solid', shape: 'ellipse' } as const

  it('has its faces first, with the room of their covers, then what was drawn', () => {
    const marks = marksOf(capture)
    expect(marks.map(byHand)).toEqual([false, false, false, false, true])
    expect([marks[0]?.box, marks[4]?.box]).toEqual([[90, 85, 60, 90], [1, 2, 3, 4]])
  })

  it('is changed by what is another than before, and an area that is shown again goes', () => {
    const marks = marksOf(capture)
    expect(captureChange(marks, toggled(marks, 1))).toEqual({ covered: { 1: true }, drawn: [[1, 2, 3, 4]] })
    expect(captureChange(marks, toggled(marks, 4))).toEqual({ covered: {}, drawn: [] })
    expect(captureChange(marks, [...marks, area([5, 6, 7, 8], 'solid')])).toEqual({ covered: {}, drawn: [[1, 2, 3, 4], [5, 6, 7, 8]] })
  })

  it('names who is surely on it once, and as visible only with all their faces', () => {
    expect(knownOn(capture.faces)).toEqual([{ name: 'Mei', at: [0, 1], visible: false }])
    expect(knownOn([seen('Mei', 'certain', false)])).toEqual([{ name: 'Mei', at: [0], visible: true }])
  })
})

