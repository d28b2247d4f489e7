/** The zoom of a picture as arithmetic: enlarged about a point, moved no further than its edges. In CSS pixels. */

import type { Rect, Size } from './geometry'

/** How many times it is enlarged, and the point of the picture in the middle of the view, as parts of its sides. */
export interface Zoom {
  readonly scale: number
  readonly x: number
  readonly y: number
}

export type Point = readonly [number, number]

export const WHOLE: Zoom = { scale: 1, x: 0.5, y: 0.5 }
export const STEP = 1.5
const MOST = 16
/** Nearer to the whole picture than this is the whole picture. */
const LEAST = 1.02
/** So much of the ground is seen beyond an edge, so that what lies there can be seen whole. */
const BEYOND = 24

/** Where the enlarged picture lies; `fit` is where the whole one does. */
export function zoomed(fit: Rect, view: Size, { scale, x, y }: Zoom): Rect {
  if (scale === 1) return fit
  const width = fit.width * scale
  const height = fit.height * scale
  return { x: along(view.width, width, x), y: along(view.height, height, y), width, height }
}

function along(view: number, length: number, middle: number): number {
  if (length + 2 * BEYOND <= view) return (view - length) / 2
  return Math.min(BEYOND, Math.max(view - length - BEYOND, view / 2 - middle * length))
}

/** What lies where: the zoom of a picture at a place. */
function of(rect: Rect, view: Size, scale: number): Zoom {
  return { scale, x: (view.width / 2 - rect.x) / rect.width, y: (view.height / 2 - rect.y) / rect.height }
}

/** Enlarged, or made smaller, by a factor; the point of the view stays over the same point of the picture. */
export function nearer(zoom: Zoom, factor: number, [x, y]: Point, fit: Rect, view: Size): Zoom {
  const scale = Math.min(MOST, zoom.scale * factor)
  if (scale < LEAST) return WHOLE
  const now = zoomed(fit, view, zoom)
  const grown = scale / zoom.scale
  const moved = { x: x - (x - now.x) * grown, y: y - (y - now.y) * grown, width: now.width * grown, height: now.height * grown }
  const wanted = of(moved, view, scale)
  return of(zoomed(fit, view, wanted), view, scale)
}

/** Moved by so many pixels. */
export function moved(zoom: Zoom, [x, y]: Point, fit: Rect, view: Size): Zoom {
  if (zoom.scale === 1) return zoom
  const now = zoomed(fit, view, zoom)
  const wanted = of({ ...now, x: now.x + x, y: now.y + y }, view, zoom.scale)
  return of(zoomed(fit, view, wanted), view, zoom.scale)
}

/** Moved so that a part of the picture is in view, in the middle if it was not. */
export function showing(zoom: Zoom, part: Rect, fit: Rect, view: Size): Zoom {
  if (zoom.scale === 1) return zoom
  const now = zoomed(fit, view, zoom)
  const left = now.x + part.x * now.width
  const top = now.y + part.y * now.height
  const inside = left >= 0 && top >= 0 && left + part.width * now.width <= view.width && top + part.height * now.height <= view.height
  return inside ? zoom : { scale: zoom.scale, x: part.x + part.width / 2, y: part.y + part.height / 2 }
}

/** The factor a turn of the wheel stands for; with Ctrl it is two fingers that spread. */
export function turned({ deltaY, deltaMode, ctrlKey }: Pick<WheelEvent, 'deltaY' | 'deltaMode' | 'ctrlKey'>): number {
  const pixels = deltaY * (deltaMode === 0 ? 1 : 33)
  return Math.exp(-Math.max(-200, Math.min(200, pixels)) * (ctrlKey ? 0.01 : 0.0025))
}
