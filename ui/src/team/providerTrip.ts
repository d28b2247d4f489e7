/** The way to the provider and back: what this tab keeps until then, so that only it can finish what it began. */

import { placeIn } from '../api/pageSession'
import { ProviderApi, type ProviderAnswer } from '../api/providerApi'
import type { ProviderBegun } from '../api/types'
import { client } from '../lib/appState.svelte'

export const provider = new ProviderApi(client)

export interface Trip {
  readonly kind: 'sign_in' | 'link' | 'invitation'
  readonly keep: string
  /** where the page was, to go on there */
  readonly place: string
  /** of the invitation */
  readonly token?: string
}

const PLACE = 'provider'
const KINDS: readonly string[] = ['sign_in', 'link', 'invitation'] satisfies Trip['kind'][]

export function leaveFor(begun: ProviderBegun, trip: Omit<Trip, 'keep' | 'place'>, page: Pick<Window, 'sessionStorage' | 'location'> = window): void {
  page.sessionStorage.setItem(PLACE, JSON.stringify({ ...trip, keep: begun.keep, place: placeIn(page.location) }))
  page.location.assign(begun.address)
}

/** What this tab kept, once; null if it began nothing. */
export function tripBack(storage: Pick<Storage, 'getItem' | 'removeItem'> = sessionStorage): Trip | null {
  try {
    const { kind, keep, place, token } = JSON.parse(storage.getItem(PLACE) ?? '') as Partial<Trip>
    storage.removeItem(PLACE)
    if (kind === undefined || !KINDS.includes(kind) || typeof keep !== 'string' || typeof place !== 'string') return null
    return { kind, keep, place, ...(typeof token === 'string' && { token }) }
  } catch {
    return null
  }
}

/** What stands in the address after the provider sent the browser back. */
export function answerOf(hash: string, keep: string): ProviderAnswer {
  const given = new URLSearchParams(hash.replace(/^#provider\//, ''))
  const of = (name: string): string => given.get(name) ?? ''
  return { state: of('state'), code: of('code'), error: of('error'), iss: of('iss'), keep }
}
