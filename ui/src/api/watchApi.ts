/** Calls about watching the screen. */

import type { Client } from './client'
import type { WatchOut } from './types'

export class WatchApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  read = (): Promise<WatchOut> => this.client.request('GET', '/api/watch')
  stop = (): Promise<void> => this.client.request('PUT', '/api/watch', { on: false })
  /** For so many minutes; null: watch again. */
  snooze = (minutes: number | null): Promise<void> => this.client.request('POST', '/api/watch/snooze', { minutes })
}
