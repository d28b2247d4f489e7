/** The record's entries, newest first, page by page. */

import type { RecordEntry, RecordPage } from '../api/types'
import type { RecordFilter, TeamApi } from '../api/teamApi'
import type { AppState } from '../lib/appState.svelte'
import { Resource } from '../lib/resource.svelte'

export const EVERY_ENTRY: RecordFilter = { actor: null, action: null }

export class RecordState extends Resource<RecordPage> {
  filter = $state.raw<RecordFilter>(EVERY_ENTRY)
  /** older entries are being loaded */
  going = $state(false)

  readonly items = $derived.by((): readonly RecordEntry[] => this.value?.items ?? [])
  readonly more = $derived.by(() => this.value?.before != null)

  constructor(
    private readonly app: Pick<AppState, 'read'>,
    private readonly api: Pick<TeamApi, 'record'>,
  ) {
    super(app)
  }

  protected override async fetch(): Promise<RecordPage | null> {
    const { filter } = this
    const page = await this.api.record(filter, null)
    return filter === this.filter ? page : null
  }

  async narrow(change: Partial<RecordFilter>): Promise<void> {
    this.filter = { ...this.filter, ...change }
    await this.read()
  }

  /** Loads the older entries below those that are shown. */
  async goOn(): Promise<void> {
    const { value, filter } = this
    if (value === null || value.before === null || this.going) return
    this.going = true
    await this.app.read(async () => {
      const older = await this.api.record(filter, value.before)
      // A filter that was changed meanwhile has other entries.
      if (this.value === value) this.value = { items: [...value.items, ...older.items], before: older.before }
    })
    this.going = false
  }
}
