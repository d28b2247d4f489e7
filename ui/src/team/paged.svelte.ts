/** A list, newest first, page by page. */

import type { AppState } from '../lib/appState.svelte'
import { Resource } from '../lib/resource.svelte'

export interface Page<Item> {
  readonly items: readonly Item[]
  /** asks for the page of older ones; null: there are none */
  readonly before: number | null
}

export abstract class Paged<Item, Wanted> extends Resource<Page<Item>> {
  /** older ones are being loaded */
  going = $state(false)

  readonly items = $derived.by((): readonly Item[] => this.value?.items ?? [])
  readonly more = $derived.by(() => this.value?.before != null)

  constructor(private readonly app: Pick<AppState, 'read'>) {
    super(app)
  }

  /** Which items are wanted now: a page that was asked for with another value is out of date. */
  protected abstract wanted(): Wanted

  protected abstract page(wanted: Wanted, before: number | null): Promise<Page<Item>>

  protected override async fetch(): Promise<Page<Item> | null> {
    const wanted = this.wanted()
    const page = await this.page(wanted, null)
    return wanted === this.wanted() ? page : null
  }

  /** Loads the older ones below those that are shown. */
  async goOn(): Promise<void> {
    const value = this.value
    const wanted = this.wanted()
    if (value === null || value.before === null || this.going) return
    this.going = true
    await this.app.read(async () => {
      const older = await this.page(wanted, value.before)
      // Other items may be wanted by now.
      if (this.value === value) this.value = { items: [...value.items, ...older.items], before: older.before }
    })
    this.going = false
  }
}
