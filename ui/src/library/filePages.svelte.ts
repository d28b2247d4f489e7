/** A list of files, loaded page by page, so that 10,000 files neither freeze the view nor are cut off. */

import type { Client } from '../api/client'
import type { PlaceProblem, PlaceProblems } from '../api/types'
import type { AppState } from '../lib/appState.svelte'
import { Resource } from '../lib/resource.svelte'

export const PAGE = 100

/** The list's part of the API's address. */
export type PlaceKind = 'problems' | 'online-only'

export class FilePages extends Resource<Pick<PlaceProblems, 'items' | 'total'>> {
  offset = $state(0)

  first = $derived(this.total === 0 ? 0 : this.offset + 1)
  last = $derived(Math.min(this.offset + PAGE, this.total))

  constructor(
    private readonly client: Pick<Client, 'places'>,
    app: Pick<AppState, 'read'>,
    private readonly kind: PlaceKind,
    private readonly folder: string | null,
  ) {
    super(app)
  }

  /** null until they are known */
  get items(): readonly PlaceProblem[] | null {
    return this.value?.items ?? null
  }

  get total(): number {
    return this.value?.total ?? 0
  }

  /** The page that is shown; the last one there is, if the list ends before it by now. */
  protected override async fetch(): Promise<Pick<PlaceProblems, 'items' | 'total'>> {
    for (;;) {
      const { offset } = this
      const page = await this.client.places(this.kind, { limit: PAGE, offset, folder: this.folder })
      if (offset !== this.offset) continue
      if (page.items.length > 0 || offset === 0) return page
      this.offset = page.total === 0 ? 0 : Math.floor((page.total - 1) / PAGE) * PAGE
    }
  }

  /** @param by 1 to older files, -1 to newer ones */
  turn(by: 1 | -1): Promise<void> {
    this.offset = Math.max(0, this.offset + by * PAGE)
    return this.read()
  }
}
