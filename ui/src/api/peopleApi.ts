/** Calls about people, groups of faces and doubtful faces. Edits go through `edits.svelte.ts`. */

import type { Client } from './client'
import { session } from './pageSession'
import type {
  DescribePerson,
  Doubts,
  Edited,
  FaceSearchOut,
  Forgotten,
  GroupFaces,
  Groups,
  IgnoreFaces,
  MergePeople,
  NameConflict,
  NameFaces,
  NotThisPerson,
  PersonDetail,
  PersonFaces,
  Step,
  UnnameFaces,
} from './types'

/** Without what is empty. */
type Sent<T, Key extends keyof T> = Omit<T, Key> & Partial<Pick<T, Key>>
/** What the user says. */
export type Edit = Sent<NameFaces, 'left_out'> | NotThisPerson | UnnameFaces | IgnoreFaces | MergePeople | Sent<DescribePerson, 'clear'>
export type Basis = NonNullable<PersonDetail['basis']>

/** Faces and groups asked for at once. */
export const FACES_PAGE = 500
export const GROUPS_PAGE = 24

export class PeopleApi {
  constructor(private readonly client: Pick<Client, 'request' | 'upload'>) {}

  person = (id: number): Promise<PersonDetail> => this.client.request('GET', `/api/people/${id}`)
  /** Newest taken first. */
  faces = (id: number, limit: number, offset: number): Promise<PersonFaces> => this.client.request('GET', `/api/people/${id}/faces?limit=${limit}&offset=${offset}`)
  groups = (limit: number, offset: number): Promise<Groups> => this.client.request('GET', `/api/groups?limit=${limit}&offset=${offset}`)
  group = (id: number): Promise<GroupFaces> => this.client.request('GET', `/api/groups/${id}`)
  doubts = (limit: number, person: number | null = null): Promise<Doubts> => this.client.request('GET', `/api/doubts?limit=${limit}${person === null ? '' : `&person_id=${person}`}`)

  /** Faces that another program calls otherwise. */
  conflicts = (): Promise<readonly NameConflict[]> => this.client.request('GET', '/api/people/conflicts')
  /** What the user calls them counts; `kept` false takes that back. */
  keepNames = (face_ids: readonly number[], kept: boolean): Promise<void> => this.client.request('POST', '/api/people/conflicts', { face_ids, kept })

  /** Faces like those of a photo; nothing of it is kept. */
  search = (photo: Blob): Promise<FaceSearchOut> => this.client.upload('/api/search/face', photo)

  /** Faces like one of the library. */
  searchFace = (id: number): Promise<FaceSearchOut> => this.client.request('POST', `/api/faces/${id}/search`)

  edit = (edit: Edit): Promise<Edited> => this.client.request('POST', '/api/people/edits', edit)
  /** @param token of an edit */
  undo = (token: string): Promise<Step> => this.client.request('POST', '/api/undo', { undo: token })
  forget = (id: number): Promise<Forgotten> => this.client.request('POST', `/api/people/${id}/forget`)
}

/** Address of the file with all that is held of a person. */
export function exportUrl(id: number): string {
  return session.address(`/api/people/${id}/export`)
}
