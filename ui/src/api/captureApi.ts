/** Calls about screen captures that wait for review. An answer never contains what is covered. */

import type { Client } from './client'
import { session } from './pageSession'
import type { CaptureChange, CaptureOut, Captures } from './types'

export class CaptureApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  /** The newest last. */
  open = (): Promise<Captures> => this.client.request('GET', '/api/captures')
  change = (id: string, change: CaptureChange): Promise<CaptureOut> => this.client.request('PATCH', `/api/captures/${id}`, change)
  copy = (id: string): Promise<unknown> => this.client.request('POST', `/api/captures/${id}/copy`)
  /** Among the user's pictures. */
  save = (id: string): Promise<unknown> => this.client.request('POST', `/api/captures/${id}/save`, {})
  discard = (id: string): Promise<unknown> => this.client.request('DELETE', `/api/captures/${id}`)
}

/** Address of the covered picture; `version` tells one from the next. The browser keeps none of them. */
export function captureUrl(id: string, version: number): string {
  return session.address(`/api/captures/${id}/picture?format=jpeg&n=${version}`)
}
