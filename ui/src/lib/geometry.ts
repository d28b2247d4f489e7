/** Places a photo in its view, and the frames and tags of its faces. Pure arithmetic, in CSS pixels. */

import type { FaceOut } from '../api/types'

export interface Size {
  readonly width: number
  readonly height: number
}

export type Boxed = Pick<FaceOut, 'box'>

export interface Rect extends Size {
  readonly x: number
  readonly y: number
}

/** Past this many faces, or under this many pixels, a frame has no tag: the names stand in a list. */
export const MOST_TAGS = 8
export const LEAST_TAGGED = 28

/** Most of a photo's side that may be cut off to fill the view. */
const MOST_CROPPED = 0.3
const TAG_HEIGHT = 18
const TAG_PADDING = 12
const TAG_LONGEST = 132
/** Tags touch the frame they belong to. */
const TAG_OVERLAP = 5

export function union(faces: readonly Boxed[]): Rect | null {
  if (faces.length === 0) return null
  const left = Math.min(...faces.map((face) => face.box[0]))
  const top = Math.min(...faces.map((face) => face.box[1]))
  const right = Math.max(...faces.map((face) => face.box[0] + face.box[2]))
  const bottom = Math.max(...faces.map((face) => face.box[1] + face.box[3]))
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/**
 * The photo's rectangle in the view: it fills the view if that cuts off little and no face, else it is shown whole.
 */
export function fitPhoto(image: Size, view: Size, faces: readonly Boxed[]): Rect {
  if (image.width <= 0 || image.height <= 0) return { x: 0, y: 0, ...view }
  const cover = Math.max(view.width / image.width, view.height / image.height)
  const seen = Math.min(view.width / (image.width * cover), view.height / (image.height * cover))
  const around = union(faces)
  if (1 - seen <= MOST_CROPPED) {
    const x = slide(image.width * cover, view.width, around && { start: around.x * cover, length: around.width * cover })
    const y = slide(image.height * cover, view.height, around && { start: around.y * cover, length: around.height * cover })
    if (x !== null && y !== null) return { x, y, width: image.width * cover, height: image.height * cover }
  }
  return fitWhole(image, view)
}

/** The photo's rectangle when nothing of it is cut off. */
export function fitWhole(image: Size, view: Size): Rect {
  if (image.width <= 0 || image.height <= 0) return { x: 0, y: 0, ...view }
  const scale = Math.min(view.width / image.width, view.height / image.height)
  const width = image.width * scale
  const height = image.height * scale
  return { x: (view.width - width) / 2, y: (view.height - height) / 2, width, height }
}

/** Offset of a longer line behind a window so that a part of it stays in view; null if that part is too long. */
function slide(length: number, window: number, part: { start: number; length: number } | null): number | null {
  if (part === null || length <= window + 0.5) return (window - length) / 2
  if (part.length > window) return null
  const centred = window / 2 - (part.start + part.length / 2)
  return Math.min(0, Math.max(window - length, centred))
}

/** So high a face is shown at least, as a part of the view, and so much it is enlarged at most. */
const LEAST_SEEN = 0.34
const MOST_ENLARGED = 3

/** The photo's rectangle around one face: it fills the view, with the face near the middle and large enough to recognise. */
export function fitAround(face: Boxed, image: Size, view: Size): Rect {
  if (image.width <= 0 || image.height <= 0) return { x: 0, y: 0, ...view }
  const [left, top, wide, high] = face.box
  const filled = Math.max(view.width / image.width, view.height / image.height)
  const scale = Math.max(filled, Math.min((view.height * LEAST_SEEN) / high, MOST_ENLARGED))
  const width = image.width * scale
  const height = image.height * scale
  const x = Math.min(0, Math.max(view.width - width, view.width / 2 - (left + wide / 2) * scale))
  // A face sits a little above the middle, as on a portrait.
  const y = Math.min(0, Math.max(view.height - height, view.height * 0.45 - (top + high / 2) * scale))
  return { x, y, width, height }
}

/** Half a frame's line, and a little: so far inside the view none of it is cut off. */
const EDGE = 2.5

/**
 * A face's frame: its box with a little air, inside the view.
 *
 * @param beyond it may extend beyond the view, as when the photo is enlarged
 */
export function frameOf(face: Boxed, image: Size, fit: Rect, view: Size, beyond = false): Rect {
  const scale = fit.width / image.width
  const [left, top, width, height] = face.box.map((value) => value * scale) as [number, number, number, number]
  const air = Math.min(8, Math.max(2, width * 0.08))
  const whole = { x: fit.x + left - air, y: fit.y + top - air, width: width + 2 * air, height: height + 2 * air }
  if (beyond) return whole
  const x = Math.max(EDGE, whole.x)
  const y = Math.max(EDGE, whole.y)
  return {
    x,
    y,
    width: Math.max(4, Math.min(view.width - EDGE, whole.x + whole.width) - x),
    height: Math.max(4, Math.min(view.height - EDGE, whole.y + whole.height) - y),
  }
}

/** Width a tag's text takes, near enough to place it: Han characters are as wide as they are high. */
export function tagWidth(text: string): number {
  let width = TAG_PADDING
  for (const character of text) width += /[\u2e80-\uffef]/u.test(character) ? 12 : 6.6
  return Math.min(width, TAG_LONGEST)
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

/**
 * A place for each tag: under its frame, else above it, inside the view and clear of the other tags; null where there is no room.
 *
 * @param labels text of each frame's tag; null for a frame that has none
 */
export function placeTags(frames: readonly Rect[], labels: readonly (string | null)[], view: Size): (Rect | null)[] {
  const placed: Rect[] = []
  const window = { x: 0, y: 0, ...view }
  const seen = frames.filter((frame) => overlap(frame, window)).length
  return frames.map((frame, index) => {
    const label = labels[index]
    if (label === null || label === undefined || seen > MOST_TAGS || frame.width < LEAST_TAGGED || !overlap(frame, window)) return null
    const width = tagWidth(label)
    const x = Math.max(2, Math.min(view.width - width - 2, frame.x + (frame.width - width) / 2))
    const below = { x, y: frame.y + frame.height - TAG_OVERLAP, width, height: TAG_HEIGHT }
    const above = { x, y: frame.y - TAG_HEIGHT + TAG_OVERLAP, width, height: TAG_HEIGHT }
    const spot = [below, above].find(
      (rect) => rect.y >= 0 && rect.y + rect.height <= view.height && !placed.some((other) => overlap(rect, other)),
    )
    if (spot === undefined) return null
    placed.push(spot)
    return spot
  })
}

/** The part of a rectangle that lies in another one; null where there is none. */
export function partWithin(rect: Rect, bounds: Rect): Rect | null {
  const [x, y] = [Math.max(rect.x, bounds.x), Math.max(rect.y, bounds.y)]
  const width = Math.min(rect.x + rect.width, bounds.x + bounds.width) - x
  const height = Math.min(rect.y + rect.height, bounds.y + bounds.height) - y
  return width > 0 && height > 0 ? { x, y, width, height } : null
}

const NUMBER_HEIGHT = 16

/** A place for the number of each rectangle, beside it and on none of the others; null where there is no room. */
export function placeNumbers(rects: readonly (Rect | null)[], view: Size): (Rect | null)[] {
  const taken = rects.filter((rect) => rect !== null)
  return rects.map((rect, index) => {
    if (rect === null) return null
    const width = 6 * String(index + 1).length + 10
    const at = (x: number, y: number): Rect => ({ x, y, width, height: NUMBER_HEIGHT })
    const [right, bottom] = [rect.x + rect.width, rect.y + rect.height]
    const middle = rect.x + (rect.width - width) / 2
    const spots = [at(middle, bottom + 4), at(middle, rect.y - NUMBER_HEIGHT - 4), at(right + 4, rect.y), at(rect.x - width - 4, rect.y)]
    const free = ({ x, y }: Rect): boolean => x >= 0 && y >= 0 && x + width <= view.width && y + NUMBER_HEIGHT <= view.height
    const spot = spots.find((one) => free(one) && !taken.some((other) => overlap(one, other)))
    if (spot === undefined) return null
    taken.push(spot)
    return spot
  })
}

/** The square around a face that a crop shows, in pixels of the image. */
export function cropOf(face: Boxed, image: Size): Rect {
  const [left, top, width, height] = face.box
  const side = Math.min(Math.max(width, height) * 1.5, image.width, image.height)
  const x = Math.max(0, Math.min(image.width - side, left + width / 2 - side / 2))
  const y = Math.max(0, Math.min(image.height - side, top + height / 2 - side / 2))
  return { x, y, width: side, height: side }
}

/** Longer side of an image's small picture. */
const THUMBNAIL = 480

/** Whether a part of the small picture still shows enough at a size. */
export function enoughOf(crop: Rect, image: Size, size: number): boolean {
  return crop.width * (THUMBNAIL / Math.max(image.width, image.height)) >= size * 0.9
}

/** The point a cropped tile keeps in its middle: the faces', as a CSS `object-position`. */
export function focusOf(image: Size & { readonly faces: readonly Boxed[] }): string {
  const around = union(image.faces)
  if (around === null || image.width <= 0 || image.height <= 0) return '50% 50%'
  const part = (start: number, length: number, whole: number): string =>
    `${Math.round(Math.min(1, Math.max(0, (start + length / 2) / whole)) * 100)}%`
  return `${part(around.x, around.width, image.width)} ${part(around.y, around.height, image.height)}`
}
