/** Frames on a picture share one Tab stop: arrow keys move among them. */

type Box = readonly [number, number, number, number]

/** How much farther away a frame counts for each pixel that it lies to the side. */
const ASIDE = 2

/**
 * The frame that a key leads to from another; null for other keys, and where there is no other frame. Left and Right go through all in their order,
 * Up and Down to the nearest above and below.
 *
 * @param boxes null where there is none to go to
 */
export function frameAt(key: string, from: number, boxes: readonly (Box | null)[]): number | null {
  const there = [...boxes.keys()].filter((index) => boxes[index] !== null)
  const place = there.indexOf(from)
  if (place === -1 || there.length < 2) return null
  switch (key) {
    case 'ArrowLeft':
      return there[place - 1] ?? from
    case 'ArrowRight':
      return there[place + 1] ?? from
    case 'ArrowUp':
      return beyond(-1, from, there, boxes)
    case 'ArrowDown':
      return beyond(1, from, there, boxes)
    case 'Home':
      return there[0] ?? from
    case 'End':
      return there.at(-1) ?? from
    default:
      return null
  }
}

function beyond(side: 1 | -1, from: number, there: readonly number[], boxes: readonly (Box | null)[]): number {
  const start = boxes[from]
  if (!start) return from
  let nearest = from
  let least = Infinity
  for (const index of there) {
    const box = boxes[index]
    if (!box) continue
    const down = side * (middle(box, 1) - middle(start, 1))
    const away = down + ASIDE * Math.abs(middle(box, 0) - middle(start, 0))
    // Those beside it are no rows of their own.
    if (down > Math.max(start[3], box[3]) / 2 && away < least) [nearest, least] = [index, away]
  }
  return nearest
}

const middle = (box: Box, axis: 0 | 1): number => box[axis] + box[axis === 0 ? 2 : 3] / 2

/** The only frame that Tab reaches: the one that had the keyboard last, else the first. */
export function tabStop(last: number | null, boxes: readonly (Box | null)[]): number {
  return last !== null && boxes[last] ? last : boxes.findIndex((box) => box !== null)
}

/** Takes the keyboard to another of the frames in the same group, which are its buttons in order. Returns whether the key did that. */
export function moved(event: KeyboardEvent, to: number | null, group: HTMLElement | undefined): boolean {
  if (to === null || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false
  event.preventDefault()
  event.stopPropagation()
  group?.querySelector<HTMLElement>(`[data-frame="${to}"]`)?.focus()
  return true
}
