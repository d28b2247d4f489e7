/** The incidents, newest first, page by page; and how many nobody has looked at. */

import type { IncidentApi } from '../api/incidentApi'
import type { IncidentOut } from '../api/types'
import { app, type AppState } from '../lib/appState.svelte'
import { Fetched } from '../lib/resource.svelte'
import { Paged, type Page } from './paged.svelte'
import { incidents } from './teamState'

export class IncidentState extends Paged<IncidentOut, boolean> {
  /** closed ones are shown, too */
  closed = $state(false)

  constructor(
    reader: Pick<AppState, 'read'>,
    private readonly api: Pick<IncidentApi, 'all'>,
  ) {
    super(reader)
  }

  protected override wanted(): boolean {
    return this.closed
  }

  protected override page(closed: boolean, before: number | null): Promise<Page<IncidentOut>> {
    return this.api.all(closed, before)
  }

  /** Shows what one of them became. */
  put(changed: IncidentOut): void {
    if (this.value) this.value = { ...this.value, items: this.value.items.map((each) => (each.id === changed.id ? changed : each)) }
  }
}

/** For the badge. */
export const unseen = new Fetched(app, incidents.count)
