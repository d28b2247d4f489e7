/** Calls about the team: its members, the record, and the machines that work for it. */

import type { Client } from './client'
import type { ConsentGiven, ConsentLinkMade, ConsentOut, DeskOut, Edited, EndingConsent, InvitationMade, JoinAsked, ListRead, MemberName, MemberOut, MissingConsent, MyConsentsOut, OnListOut, PersonConsentsOut, PersonOnList, Queue, ReceiptOut, RecordPage, RecordVerified, ReferenceOut, ReferencesOut, RemovedOfDesk, Role, SearchIndex, WorkerOut } from './types'

export interface NewMember {
  readonly name: string
  readonly display_name: string
  readonly role: Role
}

export interface RecordFilter {
  readonly actor: string | null
  readonly action: string | null
  /** by its number; null: of all, and of the server */
  readonly library: string | null
}

export type MemberChange = Partial<Pick<MemberOut, 'role' | 'display_name'>> & { readonly locked?: boolean; readonly second_factor?: false }

export class TeamApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  members = async (): Promise<readonly MemberOut[]> => (await this.client.request<{ items: readonly MemberOut[] }>('GET', '/api/members')).items
  /** The people and members behind the ids in the record. */
  names = async (): Promise<readonly MemberName[]> => (await this.client.request<{ items: readonly MemberName[] }>('GET', '/api/members/names')).items
  add = (wanted: NewMember): Promise<MemberOut> => this.client.request('POST', '/api/members', wanted)
  change = (id: string, change: MemberChange): Promise<MemberOut> => this.client.request('PATCH', `/api/members/${encodeURIComponent(id)}`, change)
  remove = (id: string): Promise<void> => this.client.request('DELETE', `/api/members/${encodeURIComponent(id)}`)
  unlinkProvider = (id: string): Promise<void> => this.client.request('DELETE', `/api/members/${encodeURIComponent(id)}/provider`)
  /** A new link; the one before is good no more. */
  newLink = (id: string): Promise<InvitationMade> => this.client.request('POST', `/api/members/${encodeURIComponent(id)}/invitation`)

  /** Newest first; `before` is the page's end that the last answer named. */
  record = ({ actor, action, library }: RecordFilter, before: number | null): Promise<RecordPage> => {
    const query = new URLSearchParams({ limit: String(RECORD_PAGE) })
    if (before !== null) query.set('before', String(before))
    if (actor !== null) query.set('actor', actor)
    if (action !== null) query.set('action', action)
    if (library !== null) query.set('library', library)
    return this.client.request('GET', `/api/record?${query}`)
  }
  verifyRecord = (): Promise<RecordVerified> => this.client.request('POST', '/api/record/verify', undefined, VERIFY_LIMIT_MS)

  /** Computers that joined, or left something behind. */
  desks = async (): Promise<readonly DeskOut[]> => (await this.client.request<{ items: readonly DeskOut[] }>('GET', '/api/desks')).items
  removeOfDesk = (id: string): Promise<RemovedOfDesk> => this.client.request('POST', `/api/desks/${encodeURIComponent(id)}/remove`, undefined, REMOVE_LIMIT_MS)
  workers = async (): Promise<readonly WorkerOut[]> => (await this.client.request<{ items: readonly WorkerOut[] }>('GET', '/api/workers')).items
  drain = (name: string): Promise<void> => this.client.request('POST', `/api/workers/${encodeURIComponent(name)}/drain`)
  /** Which computer waits with this code. */
  joinAsked = (code: string): Promise<JoinAsked> => this.client.request('GET', `/api/join/requests/${encodeURIComponent(code)}`)
  /** @param password the member's, if they have one and let it in */
  decideJoin = (code: string, allow: boolean, password: string | null): Promise<void> =>
    this.client.request('POST', `/api/join/requests/${encodeURIComponent(code)}`, { allow, password })
  queue = (): Promise<Queue> => this.client.request('GET', '/api/queue')
  searchIndex = (): Promise<SearchIndex> => this.client.request('GET', '/api/search/index')
}

export type Purpose = ConsentOut['purpose']

export class ConsentApi {
  constructor(private readonly client: Pick<Client, 'request' | 'upload'>) {}

  /** A class list as the server understands it. Nothing is entered. */
  readList = (file: Blob): Promise<ListRead> => this.client.upload('/api/consents/list', file)
  /** A person of a list, created if there is none of that name. */
  enter = (person: PersonOnList): Promise<OnListOut> => this.client.request('POST', '/api/consents/people', person, ENTER_LIMIT_MS)
  /** The photo is analysed and not kept; the name of the library may be empty if there is one alone. */
  addReference = (person: number, photo: Blob, library: string): Promise<ReferenceOut> =>
    this.client.upload(`/api/people/${person}/references?into=${encodeURIComponent(library)}`, photo)
  references = (person: number): Promise<ReferencesOut> => this.client.request('GET', `/api/people/${person}/references`)
  removeReference = (person: number, face: number): Promise<Edited> => this.client.request('DELETE', `/api/people/${person}/references/${face}`)

  ofPerson = (person: number): Promise<PersonConsentsOut> => this.client.request('GET', `/api/people/${person}/consents`)
  give = (person: number, given: ConsentGiven): Promise<PersonConsentsOut> => this.client.request('PUT', `/api/people/${person}/consents`, given)
  /** For recognition, their face prints are deleted when this answers. */
  withdraw = (person: number, purpose: Purpose): Promise<ReceiptOut> => this.client.request('POST', `/api/people/${person}/consents/${purpose}/withdraw`, {}, WITHDRAW_LIMIT_MS)
  /** When the person's link to their own data ends; null if they have none. */
  link = async (person: number): Promise<string | null> => (await this.client.request<{ expires_at: string | null }>('GET', `/api/people/${person}/consent-link`)).expires_at
  /** An earlier link ends. */
  makeLink = (person: number): Promise<ConsentLinkMade> => this.client.request('POST', `/api/people/${person}/consent-link`, {})
  endLink = (person: number): Promise<void> => this.client.request('DELETE', `/api/people/${person}/consent-link`)
  /** What is stored about the person whose link this is. */
  own = (token: string): Promise<MyConsentsOut> => this.client.request('GET', ownPath(token))
  withdrawOwn = (token: string, purpose: Purpose): Promise<ReceiptOut> => this.client.request('POST', `${ownPath(token)}/${purpose}/withdraw`, {}, WITHDRAW_LIMIT_MS)
  /** People who are not recognised for want of consent, by name. */
  missing = async (): Promise<readonly MissingConsent[]> =>
    (await this.client.request<{ items: readonly MissingConsent[] }>('GET', '/api/consents/missing')).items

  /** Valid consents that end within so many days, the first to end first. */
  ending = async (days: number): Promise<readonly EndingConsent[]> =>
    (await this.client.request<{ items: readonly EndingConsent[] }>('GET', `/api/consents?ending_within_days=${days}`)).items
}

function ownPath(token: string): string {
  return `/api/consent-links/${encodeURIComponent(token)}`
}

/** Everything stored about the person: as a page to read, or as a file for programs. */
export function ownExport(token: string, kind: 'page' | 'export'): string {
  return `${ownPath(token)}/${kind}`
}

/** Faces may be compared again. */
const ENTER_LIMIT_MS = 60_000
/** The index is vacuumed before it answers. */
const WITHDRAW_LIMIT_MS = 150_000
const RECORD_PAGE = 100
/** A long record takes a while to read. */
const VERIFY_LIMIT_MS = 900_000
/** Photos are deleted one by one. */
const REMOVE_LIMIT_MS = 600_000
