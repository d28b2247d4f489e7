/** The frame that a region of the screen is chosen with, in the page's own pixels, and the region in the picture's. */

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Frame extends Size {
  readonly x: number
  readonly y: number
}

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), Math.max(least, most))

/** The frame between two points, as far as it lies on the page. */
export function between(ax: number, ay: number, bx: number, by: number, page: Size): Frame {
  const [left, right] = [Math.min(ax, bx), Math.max(ax, bx)].map((x) => clamp(x, 0, page.width)) as [number, number]
  const [top, bottom] = [Math.min(ay, by), Math.max(ay, by)].map((y) => clamp(y, 0, page.height)) as [number, number]
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/** What the arrow keys make of it: moved, or its lower right corner moved; at first a frame in the middle. */
export function stepped(frame: Frame | null, dx: number, dy: number, resize: boolean, page: Size): Frame {
  if (frame === null) return { x: page.width / 4, y: page.height / 4, width: page.width / 2, height: page.height / 2 }
  if (resize) {
    return { ...frame, width: clamp(frame.width + dx, 1, page.width - frame.x), height: clamp(frame.height + dy, 1, page.height - frame.y) }
  }
  return { ...frame, x: clamp(frame.x + dx, 0, page.width - frame.width), y: clamp(frame.y + dy, 0, page.height - frame.height) }
}

/** The whole pixels of the picture that the frame touches, as `X,Y,W,H`; null if it holds none. The page shows the picture edge to edge. */
export function regionOf(frame: Frame, page: Size, picture: Size): string | null {
  const [across, down] = [picture.width / page.width, picture.height / page.height]
  const left = clamp(Math.floor(frame.x * across + 1e-6), 0, picture.width)
  const top = clamp(Math.floor(frame.y * down + 1e-6), 0, picture.height)
  const right = clamp(Math.ceil((frame.x + frame.width) * across - 1e-6), 0, picture.width)
  const bottom = clamp(Math.ceil((frame.y + frame.height) * down - 1e-6), 0, picture.height)
  return right > left && bottom > top ? `${left},${top},${right - left},${bottom - top}` : null
}
