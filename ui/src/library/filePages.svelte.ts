/** A list of files that may be long, such as those with problems: one page of it at a time, so that 10,000 neither freeze the view nor end early. */

import type { Client } from '../api/client'
import type { PlaceProblem } from '../api/types'
import type { AppState } from '../lib/appState.svelte'

export const PAGE = 100

/** The list's part of the API's address. */
export type PlaceKind = 'problems' | 'online-only'

export class FilePages {
  /** null until they are known */
  items = $state.raw<readonly PlaceProblem[] | null>(null)
  total = $state(0)
  offset = $state(0)

  first = $derived(this.total === 0 ? 0 : this.offset + 1)
  last = $derived(Math.min(this.offset + PAGE, this.total))

  constructor(
    private readonly client: Pick<Client, 'places'>,
    private readonly app: Pick<AppState, 'read'>,
    private readonly kind: PlaceKind,
    private readonly folder: string | null,
  ) {}

  /** Reads the page that is shown; the last one there is, if the list ends before it by now. */
  read = (): Promise<void> =>
    this.app.read(async () => {
      for (;;) {
        const { offset } = this
        const page = await this.client.places(this.kind, { limit: PAGE, offset, folder: this.folder })
        if (offset !== this.offset) continue
        this.total = page.total
        this.items = page.items
        if (page.items.length > 0 || offset === 0) return
        this.offset = page.total === 0 ? 0 : Math.floor((page.total - 1) / PAGE) * PAGE
      }
    })

  /** @param by 1 to what is older, -1 to what is newer */
  turn(by: 1 | -1): Promise<void> {
    this.offset = Math.max(0, this.offset + by * PAGE)
    return this.read()
  }
}
