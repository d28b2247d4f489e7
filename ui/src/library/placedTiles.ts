/** The photos of the grid that are in the document, with their positions. */

import { headingOf, rowOf, type Heading, type Layout } from '../lib/layout'
import { TileSlots } from './tileSlots'

/** A photo and where it lies, in pixels of the canvas. */
export interface PlacedTile {
  /** which part of the document shows it */
  readonly slot: number
  readonly id: number
  readonly place: number
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** the day it was taken on, in words */
  readonly day: string
}

export class PlacedTiles {
  private readonly slots = new TileSlots()
  private placed = new Map<number, PlacedTile>()

  /**
   * Tiles for the photos at these places. A tile that is the same as before is the same object, so that nothing of it is drawn again.
   *
   * @param ids of all photos, in the grid's order
   * @param title names the day of a heading
   */
  place(ids: Uint32Array, grid: Layout, places: readonly number[], title: (heading: Heading | undefined) => string): readonly PlacedTile[] {
    const slots = this.slots.assign(places.map((place) => ids[place] as number))
    const before = this.placed
    this.placed = new Map()
    return places.map((place, index) => {
      const row = rowOf(grid, place)
      const slot = slots[index] as number
      const tile = {
        slot,
        id: ids[place] as number,
        place,
        day: title(headingOf(grid, place)),
        left: grid.lefts[place] as number,
        top: grid.tops[row] as number,
        width: grid.widths[place] as number,
        height: grid.heights[row] as number,
      }
      const known = before.get(slot)
      const shown = known !== undefined && alike(known, tile) ? known : tile
      this.placed.set(slot, shown)
      return shown
    })
  }
}

function alike(one: PlacedTile, other: PlacedTile): boolean {
  return (Object.keys(one) as (keyof PlacedTile)[]).every((part) => one[part] === other[part])
}
