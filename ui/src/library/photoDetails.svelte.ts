/** What is known of photos: asked for in batches as they come into view, asked for again once outdated, and forgotten beyond a limit. */

import { untrack } from 'svelte'
import { SvelteMap } from 'svelte/reactivity'

import type { Client } from '../api/client'
import type { ImageOut } from '../api/types'
import type { AppState } from '../lib/appState.svelte'

/** Photos asked for at once, and kept at most. */
const BATCH = 100
const MOST_KEPT = 3_000

export class PhotoDetails {
  readonly known = new SvelteMap<number, ImageOut>()
  /** what the grid shows now, nearest first; asked for one batch after the other */
  private wanted: readonly number[] = []
  private readonly stale = new Set<number>()
  private asking = false

  constructor(
    private readonly client: Pick<Client, 'byId'>,
    private readonly app: Pick<AppState, 'read'>,
  ) {}

  /** Says which photos are in view; what was asked for and has gone out of view is not asked for again. */
  want(ids: readonly number[]): void {
    this.wanted = ids
    this.ask()
  }

  /** Learns what there is to know of one photo; false if there is no such photo, which only the agent can say. */
  async need(id: number): Promise<boolean> {
    if (untrack(() => this.known.has(id))) return true
    let answered = false
    await this.app.read(async () => {
      this.keep(await this.client.byId([id]))
      answered = true
    })
    return !answered || untrack(() => this.known.has(id))
  }

  private keep(images: readonly ImageOut[]): void {
    for (const image of images) {
      this.known.set(image.id, image)
      this.stale.delete(image.id)
    }
  }

  private ask(): void {
    if (this.asking) return
    const ids = this.wanted.filter((id) => this.stale.has(id) || untrack(() => !this.known.has(id))).slice(0, BATCH)
    if (ids.length > 0) void this.fetch(ids)
  }

  private async fetch(ids: readonly number[]): Promise<void> {
    this.asking = true
    let worked = false
    await this.app.read(async () => {
      const images = await this.client.byId(ids)
      this.keep(images)
      // What the agent no longer knows is not asked for again: the next reading of the order leaves it out.
      const known = new Set(images.map(({ id }) => id))
      this.wanted = this.wanted.filter((id) => known.has(id) || !ids.includes(id))
      this.forget()
      worked = true
    })
    this.asking = false
    if (worked) this.ask()
  }

  private forget(): void {
    const shown = new Set(this.wanted)
    for (const id of this.known.keys()) {
      if (this.known.size <= MOST_KEPT) return
      if (shown.has(id)) continue
      this.known.delete(id)
      this.stale.delete(id)
    }
  }

  /** Asks again for what is in view, and for the rest once it is. */
  outdate(): void {
    for (const id of untrack(() => [...this.known.keys()])) this.stale.add(id)
    this.ask()
  }

  /** Changes what is known of photos. */
  mark(ids: readonly number[], change: Partial<ImageOut>): void {
    for (const id of ids) {
      const known = this.known.get(id)
      if (known) this.known.set(id, { ...known, ...change })
    }
  }
}
