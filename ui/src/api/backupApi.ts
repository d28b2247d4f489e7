/** Calls about a server's backups. */

import type { Client } from './client'
import type { BackupRunOut, BackupsMade, BackupsOut } from './types'

export class BackupApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  state = (): Promise<BackupsOut> => this.client.request('GET', '/api/backups')
  /** Answers when it is done. */
  now = (): Promise<BackupsMade> => this.client.request('POST', '/api/backups', { full: false }, LIMIT_MS)
  drill = (): Promise<BackupRunOut> => this.client.request('POST', '/api/backups/drill', undefined, LIMIT_MS)
}

/** A large database takes its time. */
const LIMIT_MS = 6 * 3_600_000
