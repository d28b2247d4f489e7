/** The justified grid as arithmetic: positions of many photos, computed once per width and kept in typed arrays. */

export interface Day {
  /** since 1970 */
  readonly day: number
  readonly count: number
}

export interface Heading extends Day {
  readonly top: number
  /** where the next day begins */
  readonly bottom: number
  /** the day's first photo */
  readonly first: number
}

export interface Layout {
  readonly height: number
  /** number of rows */
  readonly rows: number
  /** offset from the top, per row */
  readonly tops: Float64Array
  readonly heights: Float32Array
  /** index of each row's first photo; one more entry ends the last row */
  readonly firsts: Int32Array
  /** offset from the left, per photo */
  readonly lefts: Float32Array
  readonly widths: Float32Array
  readonly headings: readonly Heading[]
}

export interface Measures {
  /** height that rows come out near to */
  readonly ideal: number
  readonly gap: number
  /** height of a day's heading */
  readonly heading: number
}

/** Very wide and very tall photos are cut to these, so that one panorama does not make a row of its own. */
const NARROWEST = 0.5
const WIDEST = 4
/** A row is full once it is this near to its ideal height. */
const SLACK = 1.15

/**
 * Rows of equal height that fill the width, in the order of the photos; each day begins a row.
 *
 * @param ratios width × 100 / height of each photo
 * @param days runs of photos of the same day, in the same order; none for photos in an order of their own
 */
export function layout(ratios: ArrayLike<number>, days: readonly Day[], width: number, { ideal, gap, heading }: Measures): Layout {
  const count = ratios.length
  const tops = new Float64Array(count)
  const heights = new Float32Array(count)
  const firsts = new Int32Array(count + 1)
  const lefts = new Float32Array(count)
  const widths = new Float32Array(count)
  const headings: Heading[] = []
  let rows = 0
  let top = 0
  let next = 0

  const close = (first: number, end: number, height: number): void => {
    let left = 0
    for (let index = first; index < end; index++) {
      const wide = ratioAt(ratios, index) * height
      lefts[index] = left
      widths[index] = Math.min(wide, width - left)
      left += wide + gap
    }
    tops[rows] = top
    heights[rows] = height
    firsts[rows] = first
    rows += 1
    top += height + gap
  }

  const dated = days.length > 0
  for (const day of dated || count === 0 ? days : [{ day: 0, count }]) {
    const from = top
    const begin = next
    if (dated) top += heading
    const end = Math.min(count, next + day.count)
    let first = next
    let sum = 0
    for (; next < end; next++) {
      sum += ratioAt(ratios, next)
      const height = (width - gap * (next - first)) / sum
      if (height <= ideal * SLACK) {
        close(first, next + 1, height)
        first = next + 1
        sum = 0
      }
    }
    // The last row of a day keeps the usual height instead of being stretched.
    if (first < end) close(first, end, Math.min(ideal, (width - gap * (end - first - 1)) / sum))
    top += gap
    if (dated) headings.push({ day: day.day, count: day.count, top: from, bottom: top, first: begin })
  }
  firsts[rows] = next
  return { height: top, rows, tops: tops.subarray(0, rows), heights: heights.subarray(0, rows), firsts: firsts.subarray(0, rows + 1), lefts, widths, headings }
}

function ratioAt(ratios: ArrayLike<number>, index: number): number {
  return Math.min(WIDEST, Math.max(NARROWEST, (ratios[index] ?? 100) / 100))
}

/** Number of leading entries for which `before` holds: they are in order. */
function lead(length: number, before: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (before(middle)) low = middle + 1
    else high = middle
  }
  return low
}

/** The row a photo lies in. */
export function rowOf({ firsts, rows }: Layout, index: number): number {
  return Math.max(0, lead(rows, (row) => (firsts[row] as number) <= index) - 1)
}

/** The day a photo is of. */
export function headingOf({ headings }: Layout, index: number): Heading | undefined {
  return headings[lead(headings.length, (candidate) => (headings[candidate] as Heading).first <= index) - 1]
}

export interface GridSpan {
  /** first photo */
  readonly first: number
  /** photo after the last */
  readonly end: number
  /** headings likewise */
  readonly firstHeading: number
  readonly endHeading: number
}

/** What lies between two heights. */
export function spanOf({ rows, tops, heights, firsts, headings }: Layout, from: number, to: number): GridSpan {
  const firstRow = lead(rows, (row) => (tops[row] as number) + (heights[row] as number) < from)
  const endRow = lead(rows, (row) => (tops[row] as number) <= to)
  const firstHeading = lead(headings.length, (index) => (headings[index] as Heading).top < from)
  const endHeading = lead(headings.length, (index) => (headings[index] as Heading).top <= to)
  return { first: firsts[firstRow] ?? 0, end: firsts[endRow] ?? 0, firstHeading: Math.max(0, firstHeading - 1), endHeading }
}

export type Direction = 'left' | 'right' | 'up' | 'down' | 'page_up' | 'page_down' | 'first' | 'last'

/**
 * The photo one gets to from another.
 *
 * @param page height of the view
 */
export function neighbour(grid: Layout, index: number, direction: Direction, page: number): number {
  const last = grid.lefts.length - 1
  const row = rowOf(grid, index)
  switch (direction) {
    case 'left':
      return Math.max(0, index - 1)
    case 'right':
      return Math.min(last, index + 1)
    case 'first':
      return 0
    case 'last':
      return last
    case 'up':
      return nearest(grid, row - 1, index)
    case 'down':
      return nearest(grid, row + 1, index)
    case 'page_up':
    case 'page_down': {
      const to = (grid.tops[row] as number) + (direction === 'page_up' ? -page : page)
      const target = lead(grid.rows, (candidate) => (grid.tops[candidate] as number) <= to) - 1
      return nearest(grid, Math.min(grid.rows - 1, Math.max(0, target)), index)
    }
  }
}

/** The photo of a row whose middle is nearest to another photo's. */
function nearest({ firsts, lefts, widths, rows }: Layout, row: number, index: number): number {
  if (row < 0 || row >= rows) return index
  const middle = (lefts[index] as number) + (widths[index] as number) / 2
  let best = firsts[row] as number
  let least = Infinity
  for (let candidate = best; candidate < (firsts[row + 1] as number); candidate++) {
    const far = Math.abs((lefts[candidate] as number) + (widths[candidate] as number) / 2 - middle)
    if (far < least) {
      least = far
      best = candidate
    }
  }
  return best
}
