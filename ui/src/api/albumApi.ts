/** Calls about albums. */

import type { AlbumChange, AlbumDone, AlbumMake, AlbumOut, AlbumsOut } from './types'
import type { Client } from './client'

export class AlbumApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  albums = async (): Promise<readonly AlbumOut[]> => (await this.client.request<AlbumsOut>('GET', '/api/albums')).items
  make = (wanted: Partial<AlbumMake> & Pick<AlbumMake, 'name'>): Promise<AlbumDone> => this.client.request('POST', '/api/albums', wanted)
  change = (id: number, change: Partial<AlbumChange>): Promise<AlbumDone> => this.client.request('PATCH', `/api/albums/${id}`, change)
  remove = (id: number): Promise<AlbumDone> => this.client.request('DELETE', `/api/albums/${id}`)
  add = (id: number, ids: readonly number[]): Promise<AlbumDone> => this.client.request('POST', `/api/albums/${id}/images`, { ids })
  takeOut = (id: number, ids: readonly number[]): Promise<AlbumDone> => this.client.request('POST', `/api/albums/${id}/images/remove`, { ids })
  /** @param before null: to the end */
  move = (id: number, ids: readonly number[], before: number | null): Promise<AlbumDone> => this.client.request('POST', `/api/albums/${id}/images/move`, { ids, before })
}
