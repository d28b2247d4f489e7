/** Calls about the buckets that a team's server reads photos from. */

import type { Client } from './client'
import type { BucketAdd, BucketChange, BucketChecked, BucketOut, BucketsOut, BucketWanted } from './types'

/** It answers once the bucket did, or its time is over. */
const CHECK_LIMIT_MS = 90_000

export class BucketsApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  all = async (): Promise<readonly BucketOut[]> => (await this.client.request<BucketsOut>('GET', '/api/buckets')).items
  add = (wanted: BucketAdd): Promise<BucketOut> => this.client.request('POST', '/api/buckets', wanted)
  change = (name: string, change: BucketChange): Promise<BucketOut> => this.client.request('PATCH', `/api/buckets/${encodeURIComponent(name)}`, change)
  /** Its photos leave the library; the bucket keeps them. */
  remove = (name: string): Promise<void> => this.client.request('DELETE', `/api/buckets/${encodeURIComponent(name)}`)
  list = (name: string): Promise<void> => this.client.request('POST', `/api/buckets/${encodeURIComponent(name)}/list`)
  check = (wanted: BucketWanted): Promise<BucketChecked> => this.client.request('POST', '/api/buckets/check', wanted, CHECK_LIMIT_MS)
  checkKnown = (name: string): Promise<BucketChecked> => this.client.request('POST', `/api/buckets/${encodeURIComponent(name)}/check`, undefined, CHECK_LIMIT_MS)
}
