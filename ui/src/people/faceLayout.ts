/** A grid of equal squares under headings, as arithmetic: positions of many faces. */

import type { Direction } from '../lib/layout'

export interface Section {
  readonly title: string
  readonly count: number
}

export interface PlacedSection extends Section {
  readonly top: number
  readonly bottom: number
  /** its first square */
  readonly first: number
}

export interface Squares {
  readonly side: number
  readonly columns: number
  readonly gap: number
  readonly heading: number
  readonly height: number
  readonly sections: readonly PlacedSection[]
}

/** @param least side of a square; they grow to fill the width */
export function squares(sections: readonly Section[], width: number, { least, gap, heading }: { least: number; gap: number; heading: number }): Squares {
  const columns = Math.max(1, Math.floor((width + gap) / (least + gap)))
  const side = (width - gap * (columns - 1)) / columns
  let top = 0
  let first = 0
  const placed = sections.map((section) => {
    const bottom = top + heading + Math.ceil(section.count / columns) * (side + gap) + gap
    const here = { ...section, top, bottom, first }
    top = bottom
    first += section.count
    return here
  })
  return { side, columns, gap, heading, height: top, sections: placed }
}

/** Runs of the same title, in order. */
export function sectionsOf(titles: Iterable<string>): readonly Section[] {
  const sections: { title: string; count: number }[] = []
  for (const title of titles) {
    const last = sections.at(-1)
    if (last?.title === title) last.count += 1
    else sections.push({ title, count: 1 })
  }
  return sections
}

export function sectionOf({ sections }: Squares, index: number): PlacedSection | undefined {
  return sections.findLast(({ first }) => first <= index)
}

/** Left upper corner of a square. */
export function cornerOf(grid: Squares, index: number): { readonly left: number; readonly top: number } {
  const section = sectionOf(grid, index)
  if (section === undefined) return { left: 0, top: 0 }
  const place = index - section.first
  const step = grid.side + grid.gap
  return { left: (place % grid.columns) * step, top: section.top + grid.heading + Math.floor(place / grid.columns) * step }
}

/** The squares between two heights: the first, and the one after the last. */
export function sectionsBetween(grid: Squares, from: number, to: number): { readonly first: number; readonly end: number } {
  const step = grid.side + grid.gap
  let first = 0
  let end = 0
  for (const section of grid.sections) {
    const begin = section.top + grid.heading
    const within = (height: number, round: (value: number) => number): number =>
      section.first + Math.min(section.count, Math.max(0, round((height - begin) / step)) * grid.columns)
    if (section.bottom <= from) first = section.first + section.count
    else if (section.top <= from) first = within(from, Math.floor)
    if (section.top < to) end = within(to, Math.ceil)
  }
  return { first, end: Math.max(first, end) }
}

/** The square that a key leads to from another. @param page height of the view */
export function neighbourFace(grid: Squares, index: number, direction: Direction, page: number): number {
  const last = grid.sections.reduce((sum, { count }) => sum + count, 0) - 1
  const rows = Math.max(1, Math.floor(page / (grid.side + grid.gap)))
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
      return up(grid, index)
    case 'down':
      return down(grid, index)
    case 'page_up':
      return repeat(rows, index, (at) => up(grid, at))
    case 'page_down':
      return repeat(rows, index, (at) => down(grid, at))
  }
}

function repeat(times: number, from: number, step: (index: number) => number): number {
  let at = from
  for (let time = 0; time < times; time++) at = step(at)
  return at
}

function up(grid: Squares, index: number): number {
  const section = sectionOf(grid, index)
  if (section === undefined) return index
  const column = (index - section.first) % grid.columns
  if (index - grid.columns >= section.first) return index - grid.columns
  const above = grid.sections[grid.sections.indexOf(section) - 1]
  if (above === undefined) return index
  const lastRow = above.first + Math.floor((above.count - 1) / grid.columns) * grid.columns
  return Math.min(above.first + above.count - 1, lastRow + column)
}

function down(grid: Squares, index: number): number {
  const section = sectionOf(grid, index)
  if (section === undefined) return index
  const place = index - section.first
  const column = place % grid.columns
  const end = section.first + section.count - 1
  if (Math.floor(place / grid.columns) < Math.floor((section.count - 1) / grid.columns)) return Math.min(end, index + grid.columns)
  const below = grid.sections[grid.sections.indexOf(section) + 1]
  return below === undefined ? index : Math.min(below.first + below.count - 1, below.first + column)
}
