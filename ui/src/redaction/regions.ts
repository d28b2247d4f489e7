/** Operations on the regions of a picture: faces that are covered or shown, and regions drawn by hand. In pixels of the upright image. */

import type { CaptureChange, CaptureOut, MarkIo, RedactedOut, Style } from '../api/types'
import type { Rect, Size } from '../lib/geometry'

export type Region = MarkIo
export type Regions = readonly Region[]

export const STYLES = ['solid', 'mosaic', 'blur', 'emoji'] as const satisfies readonly Style[]

/** Sides under which an area is no area but a slip of the hand, in CSS pixels. */
const LEAST_DRAWN = 6
/** An area set by key takes up this part of the picture, and moves and grows by that one. */
const SET_PART = 0.2
const STEP_PART = 0.01

/** The edits of a copy's regions, to undo and redo them. */
export interface Steps {
  readonly past: readonly Regions[]
  readonly now: Regions
  readonly future: readonly Regions[]
}

export function firstStep(now: Regions): Steps {
  return { past: [], now, future: [] }
}

export function step({ past, now }: Steps, next: Regions): Steps {
  return { past: [...past, now], now: next, future: [] }
}

export function undone({ past, now, future }: Steps): Steps | null {
  const before = past.at(-1)
  return before === undefined ? null : { past: past.slice(0, -1), now: before, future: [now, ...future] }
}

export function redone({ past, now, future }: Steps): Steps | null {
  const next = future[0]
  return next === undefined ? null : { past: [...past, now], now: next, future: future.slice(1) }
}

function changed(marks: Regions, at: number, change: Partial<Region>): Regions {
  return marks.map((mark, index) => (index === at ? { ...mark, ...change } : mark))
}

/** What shows here and there is covered first. */
export function toggled(marks: Regions, at: number): Regions {
  const mark = marks[at]
  return mark && partly(mark) ? changed(marks, at, { covered: true, visible: [] }) : changed(marks, at, { covered: !mark?.covered })
}

/** Whether it shows in some frames of those it is in. */
export function partly(mark: Region): boolean {
  return (mark.visible ?? []).length > 0
}

/** Whether it is covered wherever it is. */
export function whole(mark: Region): boolean {
  return mark.covered === true && !partly(mark)
}

/** Where it is at a moment of what moves; null: nowhere. Without a moment, as in a photo. */
export function boxAt({ box, way }: Region, moment: number | null): Region['box'] | null {
  if (!way || moment === null) return box
  const after = way.findIndex((knot) => knot[0] >= moment)
  const next = way[after]
  if (next === undefined) return null
  const before = next[0] === moment ? next : way[after - 1]
  if (before === undefined) return null
  const share = next === before ? 0 : (moment - before[0]) / (next[0] - before[0])
  const [x, y, w, h] = [1, 2, 3, 4].map((side) => (before[side] ?? 0) * (1 - share) + (next[side] ?? 0) * share) as [number, number, number, number]
  return [x, y, w, h]
}

/** Whether it is covered at that moment. */
export function coveredAt({ covered, visible }: Region, moment: number | null): boolean {
  return covered === true && (moment === null || !(visible ?? []).some(([first, last]) => first <= moment && moment <= last))
}

/** A moment to look at it: in the middle of its way. */
export function middleOf({ way }: Region): number | null {
  return way?.[Math.floor(way.length / 2)]?.[0] ?? null
}

/** All of them look alike. */
export function styled(marks: Regions, style: Style): Regions {
  return marks.map((mark) => ({ ...mark, style }))
}

/** The look that most covers have. */
export function styleOf(marks: Regions): Style {
  const count = (style: Style): number => marks.filter((mark) => mark.style === style).length
  return STYLES.reduce((most, style) => (count(style) > count(most) ? style : most), 'solid')
}

export function byHand(mark: Region): boolean {
  return mark.score === null || mark.score === undefined
}

export function without(marks: Regions, at: number): Regions {
  return marks.filter((_, index) => index !== at)
}

/** An area from one corner to the other, in CSS pixels of a picture shown at `fit`; null if it is too small to be meant. */
export function drawn(from: readonly [number, number], to: readonly [number, number], fit: Rect, size: Size): Region['box'] | null {
  const scale = size.width / fit.width
  const clamp = (value: number, most: number): number => Math.min(Math.max(0, value), most)
  const [left, right] = [from[0], to[0]].map((x) => clamp((x - fit.x) * scale, size.width)).sort((a, b) => a - b) as [number, number]
  const [top, bottom] = [from[1], to[1]].map((y) => clamp((y - fit.y) * scale, size.height)).sort((a, b) => a - b) as [number, number]
  const least = LEAST_DRAWN * scale
  return right - left < least || bottom - top < least ? null : [left, top, right - left, bottom - top]
}

/** An area in the middle, for those who draw by key. */
export function inTheMiddle({ width, height }: Size): Region['box'] {
  const side = Math.min(width, height) * SET_PART
  return [(width - side) / 2, (height - side) / 2, side, side]
}

/** @param page the only one it is on; null: wherever it can be */
export function area(box: Region['box'], style: Style, page: number | null = null): Region {
  return { box, tilt: 0, style, shape: 'box', reason: 'hand', covered: true, score: null, doubts: [], visible: [], ...(page === null ? {} : { way: [[page, ...box]] }) }
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

/** The areas with one of them moved, or made larger or smaller, by an arrow key; null for other keys and for faces, which stay where they are. */
export function nudged(marks: Regions, at: number, key: string, size: Size, grow: boolean): Regions | null {
  const arrow = ARROWS[key]
  const mark = marks[at]
  if (arrow === undefined || mark === undefined || !byHand(mark)) return null
  const by = Math.max(1, Math.max(size.width, size.height) * STEP_PART)
  const [x, y, w, h] = mark.box
  const [dx, dy] = [arrow[0] * by, arrow[1] * by]
  const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(least, value), most)
  const box: Region['box'] = grow
    ? [x, y, clamp(w + dx, by, size.width - x), clamp(h + dy, by, size.height - y)]
    : [clamp(x + dx, 0, size.width - w), clamp(y + dy, 0, size.height - h), w, h]
  return changed(marks, at, { box, ...(mark.way ? { way: mark.way.map(([page]) => [page, ...box] as const) } : {}) })
}

/** Whether both cover the same in the same way. */
export function alike(some: Regions, others: Regions): boolean {
  return some === others || JSON.stringify(some) === JSON.stringify(others)
}

/** A cover's sides are so much longer than its face's, near enough to point at it. */
const COVER = 1.5

/** What is on a capture of the screen: its faces, then the areas drawn by hand. */
export function marksOf({ faces, drawn, style, shape }: Pick<CaptureOut, 'faces' | 'drawn' | 'style' | 'shape'>): Regions {
  return [
    ...faces.map(({ box: [x, y, w, h], score, covered }): Region => {
      const [wide, high] = [w * COVER, h * COVER]
      return { box: [x - (wide - w) / 2, y - (high - h) / 2, wide, high], tilt: 0, style, shape, reason: 'face', covered, score, doubts: [], visible: [] }
    }),
    ...drawn.map((box) => area(box, style)),
  ]
}

/** What leads from some marks of a capture to the next; an area that is shown again is none. */
export function captureChange(now: Regions, next: Regions): CaptureChange {
  const faces = next.filter((mark) => !byHand(mark))
  const turned = faces.flatMap((mark, index) => (mark.covered === now[index]?.covered ? [] : [[index, mark.covered] as const]))
  return { covered: Object.fromEntries(turned) as Record<string, boolean>, drawn: next.filter((mark) => byHand(mark) && mark.covered).map(({ box }) => box) }
}

/** The capture as it will be; it is neither copied nor saved like that. */
export function withChange(capture: CaptureOut, { covered, drawn, style, shape }: CaptureChange): CaptureOut {
  const faces = capture.faces.map((face, index) => ({ ...face, covered: covered?.[index] ?? face.covered }))
  return { ...capture, faces, drawn: drawn ?? capture.drawn, style: style ?? capture.style, shape: shape ?? capture.shape, copied: false, path: null }
}

/** Who is surely known on a capture, each once, and whether all faces of theirs are visible; names in their order on it. */
export function knownOn(faces: CaptureOut['faces']): { readonly name: string; readonly visible: boolean; readonly at: readonly number[] }[] {
  const names = faces.map(({ person, certainty }) => (certainty === 'probable' ? null : person))
  return [...new Set(names)].flatMap((name) => {
    if (name === null) return []
    const at = [...names.keys()].filter((index) => names[index] === name)
    return [{ name, at, visible: at.every((index) => !faces[index]?.covered) }]
  })
}

/** The copy to look at after this one: the next doubtful one, else the first; null if there is none. */
export function nextDoubtful(items: readonly RedactedOut[], id: number): RedactedOut | null {
  const at = items.findIndex((item) => item.id === id)
  const doubtful = (item: RedactedOut): boolean => item.state === 'needs_review' && item.id !== id
  return items.slice(at + 1).find(doubtful) ?? items.find(doubtful) ?? null
}

/** The last part of a path of any system. */
export function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
}
