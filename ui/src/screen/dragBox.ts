/**
 * The frame that selects a region of the screen, in the page's pixels, and the region in pixels of the picture of all monitors. A page shows one
 * monitor's part of that picture, edge to edge; a frame may reach beyond the page, onto the next monitor.
 */

export interface PixelSize {
  readonly width: number
  readonly height: number
}

export interface Frame extends PixelSize {
  readonly x: number
  readonly y: number
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), Math.max(least, most))

/** What a page shows: where it stands in the picture of all monitors, and how much of it that is. */
export interface Shown extends Frame {
  readonly page: PixelSize
}

/** The frame between two points. */
export function boxBetween(ax: number, ay: number, bx: number, by: number): Frame {
  return { x: Math.min(ax, bx), y: Math.min(ay, by), width: Math.abs(bx - ax), height: Math.abs(by - ay) }
}

/** What the arrow keys make of it: moved, or its lower right corner moved; at first a frame in the middle. */
export function steppedBox(frame: Frame | null, dx: number, dy: number, resize: boolean, page: PixelSize): Frame {
  if (frame === null) return { x: page.width / 4, y: page.height / 4, width: page.width / 2, height: page.height / 2 }
  if (resize) {
    return { ...frame, width: clamp(frame.width + dx, 1, page.width - frame.x), height: clamp(frame.height + dy, 1, page.height - frame.y) }
  }
  return { ...frame, x: clamp(frame.x + dx, 0, page.width - frame.width), y: clamp(frame.y + dy, 0, page.height - frame.height) }
}

/** The whole pixels of the picture of all monitors that the frame touches; null if it holds none. */
export function regionOf(frame: Frame, { x, y, width, height, page }: Shown): Frame | null {
  const [across, down] = [width / page.width, height / page.height]
  const left = Math.max(0, Math.floor(x + frame.x * across + 1e-6))
  const top = Math.max(0, Math.floor(y + frame.y * down + 1e-6))
  const right = Math.ceil(x + (frame.x + frame.width) * across - 1e-6)
  const bottom = Math.ceil(y + (frame.y + frame.height) * down - 1e-6)
  return right > left && bottom > top ? { x: left, y: top, width: right - left, height: bottom - top } : null
}

/** The frame of a region on a page, however far from it. */
export function boxFrame(region: Frame, { x, y, width, height, page }: Shown): Frame {
  const [across, down] = [page.width / width, page.height / height]
  return { x: (region.x - x) * across, y: (region.y - y) * down, width: region.width * across, height: region.height * down }
}
