import { describe, expect, it } from 'vitest'

import { cropOf, enoughOf, fitAround, fitPhoto, focusOf, frameOf, partWithin, placeTags, type Rect } from '../../src/lib/geometry'
import { face, image } from '../fixtures'

const view = { width: 380, height: 285 }

describe('fitPhoto', () => {
  it('fills the view with a photo of nearly its shape', () => {
    const fit = fitPhoto({ width: 3000, height: 2000 }, view, [])
    expect(fit.height).toBeCloseTo(285)
    expect(fit.width).toBeGreaterThan(380)
    expect(fit.x).toBeCloseTo((380 - fit.width) / 2)
  })

  it('slides the cut so that a face at the edge stays in view', () => {
    const shape = { width: 3000, height: 2000 }
    const fit = fitPhoto(shape, view, [face([2700, 500, 290, 380])])
    expect(fit.x).toBeCloseTo(380 - fit.width)
    expect(frameOf(face([2700, 500, 290, 380]), shape, fit, view).x).toBeGreaterThan(300)
  })

  it('shows a photo whole when filling would cut much of it, or a face', () => {
    const panorama = fitPhoto({ width: 9000, height: 2400 }, view, [])
    expect(panorama.width).toBeCloseTo(380)
    const everywhere = fitPhoto({ width: 3000, height: 2000 }, view, [face([0, 500, 300, 300]), face([2700, 500, 300, 300])])
    expect(everywhere.width).toBeCloseTo(380)
    expect(everywhere.y).toBeGreaterThan(0)
  })

  it('survives a photo without a size', () => {
    expect(fitPhoto({ width: 0, height: 0 }, view, [])).toEqual({ x: 0, y: 0, ...view })
  })
})

describe('frameOf', () => {
  it('stays inside the view when the box reaches past the image', () => {
    const fit: Rect = { x: 0, y: 0, width: 380, height: 285 }
    const frame = frameOf(face([-50, -50, 200, 200]), { width: 400, height: 300 }, fit, view)
    expect(frame.x).toBeGreaterThanOrEqual(0)
    expect(frame.y).toBeGreaterThanOrEqual(0)
  })
})

describe('partWithin', () => {
  const picture: Rect = { x: 10, y: 20, width: 100, height: 50 }

  it.each([
    ['whole', { x: 20, y: 30, width: 10, height: 10 }, { x: 20, y: 30, width: 10, height: 10 }],
    ['cut off at the bottom', { x: 20, y: 60, width: 10, height: 40 }, { x: 20, y: 60, width: 10, height: 10 }],
    ['cut off at the left and top', { x: 0, y: 0, width: 15, height: 25 }, { x: 10, y: 20, width: 5, height: 5 }],
    ['outside', { x: 20, y: 70, width: 10, height: 10 }, null],
  ])('is what shows of a frame: %s', (_, frame, shows) => {
    expect(partWithin(frame, picture)).toEqual(shows)
  })
})

describe('placeTags', () => {
  const frame: Rect = { x: 100, y: 100, width: 60, height: 80 }

  it('puts a tag under its face, centred', () => {
    const [tag] = placeTags([frame], ['Mei'], view)
    expect(tag?.y).toBeGreaterThan(100 + 80 - 10)
    expect((tag?.x ?? 0) + (tag?.width ?? 0) / 2).toBeCloseTo(130)
  })

  it('puts it above when there is no room below', () => {
    const [tag] = placeTags([{ ...frame, y: 205 }], ['Mei'], view)
    expect(tag?.y).toBeLessThan(205)
  })

  it('never lets two tags overlap', () => {
    const tags = placeTags([frame, { ...frame, x: 110 }, { ...frame, x: 120 }], ['Maximiliana', 'Wolfgang', 'Theodora'], view)
    expect(tags[0]).not.toBeNull()
    expect(tags[1]?.y).not.toBe(tags[0]?.y)
    expect(tags[2]).toBeNull()
  })

  it('leaves tags out past eight faces and on small ones', () => {
    const many = Array.from({ length: 9 }, (_, index) => ({ ...frame, x: index * 40 }))
    expect(placeTags(many, many.map(() => 'A'), view)).toEqual(many.map(() => null))
    expect(placeTags([{ ...frame, width: 27 }], ['A'], view)).toEqual([null])
  })

  it('keeps a wide tag in the view and makes room for Han characters', () => {
    const [tag] = placeTags([{ ...frame, x: 0, width: 30 }], ['欧阳建国欧阳建国'], view)
    expect(tag?.x).toBeGreaterThanOrEqual(0)
    expect(tag?.width).toBeGreaterThan(100)
  })
})

describe('crops', () => {
  it('are square and inside the image', () => {
    const crop = cropOf(face([380, 280, 40, 60]), { width: 400, height: 300 })
    expect(crop.width).toBe(crop.height)
    expect(crop.x + crop.width).toBeLessThanOrEqual(400)
    expect(crop.y + crop.height).toBeLessThanOrEqual(300)
  })

  it('keep the faces of a tile in its middle', () => {
    expect(focusOf(image(1, { faces: [face([300, 0, 100, 150])] }))).toBe('88% 25%')
    expect(focusOf(image(1))).toBe('50% 50%')
  })
})

describe('the photo around a face', () => {
  const view = { width: 320, height: 200 }

  it('fills the view and has the face large enough', () => {
    const fit = fitAround({ box: [1000, 1000, 100, 120] }, { width: 4000, height: 3000 }, view)
    expect((120 * fit.height) / 3000).toBeCloseTo(68)
    expect(fit.x + (1050 * fit.width) / 4000).toBeCloseTo(160)
    expect(fit.x).toBeLessThanOrEqual(0)
    expect(fit.x + fit.width).toBeGreaterThanOrEqual(320)
  })

  it('has no empty edge where the face is at the border', () => {
    const fit = fitAround({ box: [0, 0, 100, 120] }, { width: 4000, height: 3000 }, view)
    expect([fit.x, fit.y]).toEqual([0, 0])
  })

  it('is not enlarged without end, nor measured where there is none', () => {
    expect(fitAround({ box: [10, 10, 4, 4] }, { width: 400, height: 300 }, view).width).toBe(1200)
    expect(fitAround({ box: [0, 0, 1, 1] }, { width: 0, height: 0 }, view)).toEqual({ x: 0, y: 0, ...view })
  })
})

it('the small picture is enough where the face is large on it', () => {
  const image = { width: 4800, height: 3000 }
  expect(enoughOf({ x: 0, y: 0, width: 1000, height: 1000 }, image, 100)).toBe(true)
  expect(enoughOf({ x: 0, y: 0, width: 800, height: 800 }, image, 100)).toBe(false)
})
