import { expect, it } from 'vitest'

import { NOTHING, only } from '../../src/lib/selection'
import { click, press, type Choosable } from '../../src/lib/selectionInput'

const ids = [11, 12, 13, 14]
const placeOf = (id: number): number => ids.indexOf(id)
const grid = (more: Partial<Choosable> = {}): Choosable => ({ selection: NOTHING, ids, placeOf, ...more })
const key = (name: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent => ({ key: name, altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, ...more }) as KeyboardEvent
const pointer = (at: number, more: Partial<MouseEvent> = {}): MouseEvent => ({ timeStamp: at, shiftKey: false, ctrlKey: false, metaKey: false, ...more }) as MouseEvent
const right = (place: number): number => Math.min(ids.length - 1, place + 1)
const chosen = (result: ReturnType<typeof press>): number[] => [...(result?.selection.ids ?? [])]

it('the first arrow shows where one is, the next goes on', () => {
  expect(press(key('ArrowRight'), 0, right, grid())).toMatchObject({ place: 0, selection: { active: 11 } })
  const next = press(key('ArrowRight'), 0, right, grid({ selection: only(11) }))
  expect([next?.place, chosen(next)]).toEqual([1, [12]])
  expect(chosen(press(key('ArrowRight', { shiftKey: true }), 1, right, grid({ selection: { ...only(11), active: 12 } })))).toEqual([11, 12, 13])
})

it('where faces are taken out, arrows choose nothing and the space bar adds', () => {
  const walking = grid({ selection: only(11), walks: true, adds: true })
  expect(press(key('ArrowRight'), 0, right, walking)?.selection).toMatchObject({ active: 12, ids: new Set([11]) })
  expect(chosen(press(key(' '), 1, right, walking))).toEqual([11, 12])
  expect(chosen(press(key(' '), 1, right, grid({ selection: only(11) })))).toEqual([12])
})

it('all are chosen, and none; other keys mean nothing here', () => {
  expect(chosen(press(key('a', { ctrlKey: true }), 0, right, grid()))).toEqual(ids)
  expect(chosen(press(key('Escape'), 0, right, grid({ selection: only(12) })))).toEqual([])
  expect(press(key('Escape'), 0, right, grid())).toBeNull()
  expect(press(key('ArrowRight', { altKey: true }), 0, right, grid())).toBeNull()
  expect(press(key('Enter'), 0, right, grid())).toBeNull()
})

it('a finger opens at once, and chooses by the mark', () => {
  const finger = pointer(100, { pointerType: 'touch' } as Partial<PointerEvent>)
  expect(click(finger, 12, false, null, grid())).toBeNull()
  expect(click(finger, 12, true, null, grid({ selection: only(11) }))?.ids).toEqual(new Set([11, 12]))
})

it('a second click soon after opens, unless it adds to what is chosen', () => {
  const first = { id: 12, at: 100 }
  expect(click(pointer(300), 12, false, first, grid())).toBeNull()
  expect(click(pointer(900), 12, false, first, grid())?.ids).toEqual(new Set([12]))
  expect(click(pointer(300, { ctrlKey: true }), 12, false, first, grid({ selection: only(11) }))?.ids).toEqual(new Set([11, 12]))
  expect(click(pointer(300), 12, true, first, grid({ selection: only(12) }))?.ids).toEqual(new Set())
  expect(click(pointer(300, { shiftKey: true }), 13, false, null, grid({ selection: only(11) }))?.ids).toEqual(new Set([11, 12, 13]))
})
