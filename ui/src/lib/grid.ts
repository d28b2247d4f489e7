/** The justified grid: rows of equal height that fill the width, in the order of the photos. */

export interface Tile<T> {
  readonly item: T
  readonly width: number
}

export interface Row<T> {
  readonly height: number
  readonly tiles: readonly Tile<T>[]
}

/** Very wide and very tall photos are cut to these, so that one panorama does not make a row of its own. */
const NARROWEST = 0.5
const WIDEST = 4

/**
 * Rows for photos of the given aspect ratios (width / height).
 *
 * @param width of the grid
 * @param ideal height of a row; rows come out within about a third of it
 */
export function justify<T>(items: readonly T[], ratioOf: (item: T) => number, width: number, ideal: number, gap: number): Row<T>[] {
  const rows: Row<T>[] = []
  let line: { item: T; ratio: number }[] = []
  let sum = 0
  const heightOf = (): number => (width - gap * (line.length - 1)) / sum
  const close = (height: number): void => {
    rows.push({ height, tiles: line.map(({ item, ratio }) => ({ item, width: ratio * height })) })
    line = []
    sum = 0
  }
  for (const item of items) {
    const ratio = Math.min(WIDEST, Math.max(NARROWEST, ratioOf(item) || 1))
    line.push({ item, ratio })
    sum += ratio
    if (heightOf() <= ideal * 1.15) close(heightOf())
  }
  // The last row keeps the usual height instead of being stretched.
  if (line.length > 0) close(Math.min(ideal, heightOf()))
  return rows
}
