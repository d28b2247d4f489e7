/** Calls about covered copies: list batches, read and edit copies, start a batch. */

import type { Client } from './client'
import { session } from './pageSession'
import type { CoverRequest, MarkIo, RedactedOut, RedactionBatchOut, RedactionBatches, RedactionDetail, RedactionItems } from './types'

export type Wanted = Pick<CoverRequest, 'images' | 'out' | 'style' | 'keep' | 'strip' | 'keep_consented'>

/** Batches and copies asked for at once. */
export const BATCHES = 50
export const ITEMS_PAGE = 60

/** Planning looks at every file. */
const BEGIN_MS = 120_000

export class RedactionApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  batches = (): Promise<RedactionBatches> => this.client.request('GET', `/api/redactions?limit=${BATCHES}`)
  batch = (uid: string): Promise<RedactionBatchOut> => this.client.request('GET', `/api/redactions/${uid}`)
  /** The doubtful first. */
  items = (uid: string, limit: number, offset = 0): Promise<RedactionItems> => this.client.request('GET', `/api/redactions/${uid}/items?limit=${limit}&offset=${offset}`)
  begin = (wanted: Wanted): Promise<RedactionBatchOut> => this.client.request('POST', '/api/redactions', wanted, BEGIN_MS)
  /**
   * @param ids null for all of the batch
   * @param seen the newest change that was seen: what changed later is not approved
   */
  accept = (uid: string, ids: readonly number[] | null, seen: string | null): Promise<{ readonly count: number }> => this.client.request('POST', `/api/redactions/${uid}/accept`, { ids, seen })
  retry = (uid: string): Promise<unknown> => this.client.request('POST', `/api/redactions/${uid}/retry`)
  stop = (uid: string): Promise<unknown> => this.client.request('POST', `/api/redactions/${uid}/stop`)
  item = (id: number): Promise<RedactionDetail> => this.client.request('GET', `/api/redaction-items/${id}`)
  /** The copy is made again with these regions; until then it is "planned". */
  edit = (id: number, marks: readonly MarkIo[]): Promise<RedactedOut> => this.client.request('PUT', `/api/redaction-items/${id}/marks`, { marks })
  show = (id: number): Promise<unknown> => this.client.request('POST', `/api/redaction-items/${id}/show`)
}

/** Address of the copy as it is, or of the original below it. Neither is kept by the browser; `made` tells one copy from the next. */
export function copyUrl({ id, copy_sha256 }: Pick<RedactedOut, 'id' | 'copy_sha256'>, side: number): string {
  return session.address(`/api/redaction-items/${id}/preview?of=copy&side=${side}&made=${copy_sha256?.slice(0, 8) ?? ''}`)
}

/** Address of all finished copies of a batch, as one ZIP archive. */
export function batchCopiesUrl(uid: string): string {
  return session.address(`/api/redactions/${encodeURIComponent(uid)}/copies.zip`)
}

/** Address of the copy's own file. */
export function copyFileUrl(id: number): string {
  return session.address(`/api/redaction-items/${id}/copy`)
}

/** @param moment of what moves */
export function uncoveredUrl(id: number, side: number, moment: number | null = null): string {
  return session.address(`/api/redaction-items/${id}/preview?of=original&side=${side}${moment === null ? '' : `&moment=${moment}`}`)
}
