/** A list, newest first, page by page. */

import type { AppState } from '../lib/appState.svelte'
import { idOf, joined } from '../lib/parts'
import { Resource } from '../lib/resource.svelte'

export interface Page<Item> {
  readonly items: readonly Item[]
  /** asks for the page of older ones; null: there are none */
  readonly before: number | null
}

function below<Item extends { readonly id: number }>(page: Page<Item>, older: Page<Item>): Page<Item> {
  return { items: joined(page.items, older.items, idOf), before: older.before }
}

export abstract class Paged<Item extends { readonly id: number }, Wanted> extends Resource<Page<Item>> {
  /** older ones are being loaded */
  going = $state(false)

  readonly items = $derived.by((): readonly Item[] => this.value?.items ?? [])
  readonly more = $derived.by(() => this.value?.before != null)

  /** what the items that are shown were asked for with */
  private shown: Wanted | undefined

  constructor(private readonly app: Pick<AppState, 'read'>) {
    super(app)
  }

  /** Which items are wanted now: a page that was asked for with another value is out of date. */
  protected abstract wanted(): Wanted

  protected abstract page(wanted: Wanted, before: number | null): Promise<Page<Item>>

  /** As far back as it is shown. */
  protected override async fetch(): Promise<Page<Item> | null> {
    const wanted = this.wanted()
    let page = await this.page(wanted, null)
    while (wanted === this.wanted() && wanted === this.shown && page.before !== null && page.before > (this.value?.before ?? 0)) {
      page = below(page, await this.page(wanted, page.before))
    }
    if (wanted !== this.wanted()) return null
    this.shown = wanted
    return page
  }

  /** Loads the older ones below those that are shown. */
  async goOn(): Promise<void> {
    const value = this.value
    const wanted = this.wanted()
    if (value === null || value.before === null || this.going) return
    this.going = true
    await this.app.read(async () => {
      const older = await this.page(wanted, value.before)
      // Other items may be wanted by now, or these were read again meanwhile.
      if (wanted === this.shown && this.value) this.value = below(this.value, older)
    })
    this.going = false
  }
}
