/** Calls about alerts. */

import type { Client } from './client'
import type { AlertHistory, AlertMessageOut, AlertMessages, AlertsOut, AlertTestSent, SilenceOut, SilenceReason } from './types'

export class AlertApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  /** What fires, and the silences in force. */
  all = (): Promise<AlertsOut> => this.client.request('GET', '/api/alerts')
  /** What ended, newest first; `before` is the page's end that the last answer named. */
  history = (before: number | null): Promise<AlertHistory> => this.client.request('GET', `/api/alerts/history?limit=20${before === null ? '' : `&before=${before}`}`)
  messages = async (id: number): Promise<readonly AlertMessageOut[]> => (await this.client.request<AlertMessages>('GET', `/api/alerts/${id}/messages`)).items
  silence = (name: string, reason: SilenceReason, until: Date): Promise<SilenceOut> => this.client.request('POST', '/api/alerts/silences', { name, reason, until: until.toISOString() })
  unsilence = (id: number): Promise<SilenceOut> => this.client.request('DELETE', `/api/alerts/silences/${id}`)
  /** In which ways it was sent. */
  testMessage = async (): Promise<readonly string[]> => (await this.client.request<AlertTestSent>('POST', '/api/alerts/test-message', undefined, SEND_LIMIT_MS)).ways
}

/** Mail servers may take their time. */
const SEND_LIMIT_MS = 60_000
