import { expect, test } from 'vitest'

import { between, regionOf, stepped } from '../src/lib/region'

const PAGE = { width: 960, height: 540 }
const PICTURE = { width: 1920, height: 1080 }

test('a frame is drawn in any direction and ends with the page', () => {
  expect(between(10, 20, 110, 70, PAGE)).toEqual({ x: 10, y: 20, width: 100, height: 50 })
  expect(between(110, 70, 10, 20, PAGE)).toEqual({ x: 10, y: 20, width: 100, height: 50 })
  expect(between(900, 500, 2000, -5, PAGE)).toEqual({ x: 900, y: 0, width: 60, height: 500 })
})

test('arrow keys begin in the middle, move, resize, and stay on the page', () => {
  const first = stepped(null, 10, 0, false, PAGE)
  expect(first).toEqual({ x: 240, y: 135, width: 480, height: 270 })
  expect(stepped(first, -10, 10, false, PAGE)).toEqual({ x: 230, y: 145, width: 480, height: 270 })
  expect(stepped(first, 5000, 0, false, PAGE).x).toBe(480)
  expect(stepped(first, 10, -5000, true, PAGE)).toEqual({ x: 240, y: 135, width: 490, height: 1 })
  expect(stepped(first, 5000, 0, true, PAGE).width).toBe(720)
})

test('a region is in pixels of the picture, whatever the scale is', () => {
  expect(regionOf({ x: 10, y: 20, width: 100, height: 50 }, PAGE, PICTURE)).toBe('20,40,200,100')
  expect(regionOf({ x: 10, y: 20, width: 100, height: 50 }, PAGE, PAGE)).toBe('10,20,100,50')
  expect(regionOf({ x: 0, y: 0, width: 1280, height: 720 }, { width: 1280, height: 720 }, PICTURE)).toBe('0,0,1920,1080')
  expect(regionOf({ x: 10.4, y: 0, width: 1, height: 1 }, PAGE, PAGE)).toBe('10,0,2,1')
  expect(regionOf({ x: 960, y: 0, width: 0, height: 5 }, PAGE, PICTURE)).toBeNull()
})
