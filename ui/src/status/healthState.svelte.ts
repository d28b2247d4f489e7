/** The health report, loaded again every few seconds while the page is visible, and the results of the checks. */

import type { Client } from '../api/client'
import type { FindingOut, HealthReport } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { Resource } from '../lib/resource.svelte'

const EVERY_MS = 5_000

export class HealthState extends Resource<HealthReport> {
  checks = $state.raw<readonly FindingOut[] | null>(null)
  checking = $state(false)

  constructor(
    private readonly client: Client,
    private readonly app: Pick<AppState, 'act' | 'read'>,
  ) {
    super(app)
  }

  protected override fetch(): Promise<HealthReport> {
    return this.client.health()
  }

  /** Reads the report, and again every few seconds while the page is seen, until the returned function is called. */
  follow(): () => void {
    const look = (): void => {
      if (document.visibilityState === 'visible') void this.read()
    }
    look()
    const timer = setInterval(look, EVERY_MS)
    document.addEventListener('visibilitychange', look)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }

  /** Lets the program look at everything it stands on. */
  check = async (): Promise<void> => {
    if (this.checking) return
    this.checking = true
    await this.app.act(async () => {
      this.checks = await this.client.doctor()
    })
    this.checking = false
  }
}

export const health = new HealthState(client, app)
