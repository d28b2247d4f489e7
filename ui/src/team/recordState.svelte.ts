/** The record's entries, newest first, page by page. */

import type { RecordEntry } from '../api/types'
import type { RecordFilter, TeamApi } from '../api/teamApi'
import type { AppState } from '../lib/appState.svelte'
import { Paged, type Page } from './paged.svelte'

export const EVERY_ENTRY: RecordFilter = { actor: null, action: null, library: null }

export class RecordState extends Paged<RecordEntry, RecordFilter> {
  filter = $state.raw<RecordFilter>(EVERY_ENTRY)

  constructor(
    reader: Pick<AppState, 'read'>,
    private readonly api: Pick<TeamApi, 'record'>,
  ) {
    super(reader)
  }

  protected override wanted(): RecordFilter {
    return this.filter
  }

  protected override page(filter: RecordFilter, before: number | null): Promise<Page<RecordEntry>> {
    return this.api.record(filter, before)
  }

  async narrow(change: Partial<RecordFilter>): Promise<void> {
    this.filter = { ...this.filter, ...change }
    await this.read()
  }
}
