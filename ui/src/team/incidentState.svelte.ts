/** The incidents, newest first, page by page; and how many nobody has looked at. */

import type { IncidentApi } from '../api/incidentApi'
import type { IncidentOut, IncidentsOut } from '../api/types'
import { app, type AppState } from '../lib/appState.svelte'
import { Fetched, Resource } from '../lib/resource.svelte'
import { incidents } from './teamState'

export class IncidentState extends Resource<IncidentsOut> {
  /** closed ones are shown, too */
  closed = $state(false)
  /** older ones are being loaded */
  going = $state(false)

  readonly items = $derived.by((): readonly IncidentOut[] => this.value?.items ?? [])
  readonly more = $derived.by(() => this.value?.before != null)

  constructor(
    private readonly app: Pick<AppState, 'read'>,
    private readonly api: Pick<IncidentApi, 'all'>,
  ) {
    super(app)
  }

  protected override async fetch(): Promise<IncidentsOut | null> {
    const { closed } = this
    const page = await this.api.all(closed, null)
    return closed === this.closed ? page : null
  }

  /** Shows what one of them became. */
  put(changed: IncidentOut): void {
    if (this.value) this.value = { ...this.value, items: this.value.items.map((each) => (each.id === changed.id ? changed : each)) }
  }

  async goOn(): Promise<void> {
    const { value, closed } = this
    if (value === null || value.before === null || this.going) return
    this.going = true
    await this.app.read(async () => {
      const older = await this.api.all(closed, value.before)
      if (this.value === value) this.value = { items: [...value.items, ...older.items], before: older.before }
    })
    this.going = false
  }
}

/** For the badge. */
export const unseen = new Fetched(app, incidents.count)
