/** Calls about the libraries of a team's server: their folders, and who has which role in them. */

import type { Client } from './client'
import type { LibrariesOut, LibraryAdd, LibraryChange, LibraryMemberIn, LibraryOut } from './types'

export type LibraryRole = LibraryMemberIn['role']

export class LibrariesApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  all = (): Promise<LibrariesOut> => this.client.request('GET', '/api/libraries')
  add = (wanted: LibraryAdd): Promise<LibraryOut> => this.client.request('POST', '/api/libraries', wanted)
  change = (id: number, change: LibraryChange): Promise<void> => this.client.request('PATCH', `/api/libraries/${id}`, change)
  /** Its photos stay; only administrators see them then. */
  remove = (id: number): Promise<void> => this.client.request('DELETE', `/api/libraries/${id}`)
  putFolder = (id: number, path: string): Promise<void> => this.client.request('PUT', `/api/libraries/${id}/sources`, { path })
  dropFolder = (id: number, path: string): Promise<void> => this.client.request('DELETE', `/api/libraries/${id}/sources?path=${encodeURIComponent(path)}`)
  grant = (id: number, member: string, role: LibraryRole): Promise<void> => this.client.request('PUT', `/api/libraries/${id}/members/${encodeURIComponent(member)}`, { role })
  revoke = (id: number, member: string): Promise<void> => this.client.request('DELETE', `/api/libraries/${id}/members/${encodeURIComponent(member)}`)
}
