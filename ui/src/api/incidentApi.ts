/** Calls about incidents. */

import type { Client } from './client'
import type { CloseReason, IncidentDetails, IncidentOut, IncidentsOut } from './types'

export class IncidentApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  /** Newest first; `before` is the page's end that the last answer named. */
  all = (closed: boolean, before: number | null): Promise<IncidentsOut> => this.client.request('GET', `/api/incidents?closed=${closed}${before === null ? '' : `&before=${before}`}`)
  /** How many are not looked at yet. */
  count = async (): Promise<number> => (await this.client.request<{ open: number }>('GET', '/api/incidents/count')).open
  details = (id: number): Promise<IncidentDetails> => this.client.request('GET', `/api/incidents/${id}`)
  see = (id: number): Promise<IncidentOut> => this.client.request('POST', `/api/incidents/${id}/see`)
  close = (id: number, reason: CloseReason): Promise<IncidentOut> => this.client.request('POST', `/api/incidents/${id}/close`, { reason })
  reopen = (id: number): Promise<IncidentOut> => this.client.request('POST', `/api/incidents/${id}/reopen`)
  /** Locks the member, ends sessions, or revokes the token. */
  step = (id: number): Promise<IncidentOut> => this.client.request('POST', `/api/incidents/${id}/step`)
  undoStep = (id: number): Promise<IncidentOut> => this.client.request('DELETE', `/api/incidents/${id}/step`)
  /** In which ways it was sent. */
  testMessage = async (): Promise<readonly string[]> => (await this.client.request<{ ways: readonly string[] }>('POST', '/api/incidents/test-message', undefined, SEND_LIMIT_MS)).ways
}

/** Mail servers may take their time. */
const SEND_LIMIT_MS = 60_000
