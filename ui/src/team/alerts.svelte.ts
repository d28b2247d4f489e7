/** The alerts: what fires, the silences, and what ended. */

import { AlertApi } from '../api/alertApi'
import type { AlertOut } from '../api/types'
import { app, client } from '../lib/appState.svelte'
import { Paged, type Page } from './paged.svelte'

export const alerts = new AlertApi(client)

export class EndedAlerts extends Paged<AlertOut, null> {
  constructor() {
    super(app)
  }

  protected override wanted(): null {
    return null
  }

  protected override page(_: null, before: number | null): Promise<Page<AlertOut>> {
    return alerts.history(before)
  }
}

/** The words of an alert; one of Prometheus that has no words here goes by its name. */
export function titleOf({ name, source }: AlertOut): string {
  const key = `alerts.kinds.${name}`
  const text = app.t(key)
  return source === 'prometheus' && text === key ? name : text
}
