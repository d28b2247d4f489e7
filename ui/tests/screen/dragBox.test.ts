import { expect, test } from 'vitest'

import { boxBetween, boxFrame, regionOf, steppedBox } from '../../src/screen/dragBox'

const PAGE = { width: 960, height: 540 }
const PICTURE = { width: 1920, height: 1080 }

test('a frame is drawn in any direction', () => {
  expect(boxBetween(10, 20, 110, 70)).toEqual({ x: 10, y: 20, width: 100, height: 50 })
  expect(boxBetween(110, 70, 10, 20)).toEqual({ x: 10, y: 20, width: 100, height: 50 })
})

test('arrow keys begin in the middle, move, resize, and stay on the page', () => {
  const first = steppedBox(null, 10, 0, false, PAGE)
  expect(first).toEqual({ x: 240, y: 135, width: 480, height: 270 })
  expect(steppedBox(first, -10, 10, false, PAGE)).toEqual({ x: 230, y: 145, width: 480, height: 270 })
  expect(steppedBox(first, 5000, 0, false, PAGE).x).toBe(480)
  expect(steppedBox(first, 10, -5000, true, PAGE)).toEqual({ x: 240, y: 135, width: 490, height: 1 })
  expect(steppedBox(first, 5000, 0, true, PAGE).width).toBe(720)
})

test('a region is in pixels of the picture of all monitors, whatever the scale is', () => {
  const at = (x: number, y: number, page = PAGE) => ({ x, y, ...PICTURE, page })
  expect(regionOf({ x: 10, y: 20, width: 100, height: 50 }, at(0, 0))).toEqual({ x: 20, y: 40, width: 200, height: 100 })
  expect(regionOf({ x: 10, y: 20, width: 100, height: 50 }, at(1280, 7))).toEqual({ x: 1300, y: 47, width: 200, height: 100 })
  expect(regionOf({ x: 0, y: 0, width: 1280, height: 720 }, at(0, 0, { width: 1280, height: 720 }))).toEqual({ x: 0, y: 0, width: 1920, height: 1080 })
  expect(regionOf({ x: 10.4, y: 0, width: 1, height: 1 }, at(0, 0, PICTURE))).toEqual({ x: 10, y: 0, width: 2, height: 1 })
  expect(regionOf({ x: 960, y: 0, width: 0, height: 5 }, at(0, 0))).toBeNull()
})

test('a region that reaches beyond its page is the same region on the next, which may have another scale', () => {
  const left = { x: 0, y: 0, ...PICTURE, page: PAGE }
  const right = { x: 1920, y: 0, ...PICTURE, page: PICTURE }
  const region = regionOf(boxBetween(900, 500, 1010, 400), left)
  expect(region).toEqual({ x: 1800, y: 800, width: 220, height: 200 })
  expect(region && boxFrame(region, right)).toEqual({ x: -120, y: 800, width: 220, height: 200 })
  expect(region && boxFrame(region, left)).toEqual(boxBetween(900, 500, 1010, 400))
  // To the left of all monitors there is nothing.
  expect(regionOf(boxBetween(-10, 5, 10, 0), left)).toEqual({ x: 0, y: 0, width: 20, height: 10 })
})
