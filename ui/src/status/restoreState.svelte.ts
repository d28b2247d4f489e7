/** The backup that can replace a damaged library, and how its restore goes. */

import { ApiError, Unreachable, type Client } from '../api/client'
import type { Problem, LibraryRestoreOut } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { Resource } from '../lib/resource.svelte'

export class RestoreState extends Resource<LibraryRestoreOut> {
  /** the restore was asked for, and the agent has not answered since it closed the library */
  running = $state(false)
  /** the time of the backup that was restored from this page */
  restored = $state.raw<string | null>(null)
  /** why the restore didn't begin */
  refused = $state.raw<Problem | null>(null)

  /** the number of restores when this one was asked for */
  private before = 0

  constructor(
    private readonly client: Pick<Client, 'restore' | 'beginRestore'>,
    reader: Pick<AppState, 'read'>,
  ) {
    super(reader)
  }

  protected override fetch(): Promise<LibraryRestoreOut> {
    return this.client.restore()
  }

  protected override take(value: LibraryRestoreOut): void {
    super.take(value)
    if (!this.running || value.number === this.before) return
    this.restored = value.problem === null ? value.restored : null
    this.running = false
  }

  begin = async (name: string): Promise<void> => {
    this.refused = null
    this.before = this.value?.number ?? 0
    this.running = true
    try {
      await this.client.beginRestore(name)
    } catch (error) {
      // Without an answer the library may be closed already: the next reading tells.
      if (error instanceof Unreachable) return
      this.running = false
      if (!(error instanceof ApiError)) throw error
      this.refused = error.problem
    }
  }
}

export const restore = new RestoreState(client, app)
