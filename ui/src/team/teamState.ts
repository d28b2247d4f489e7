/** The room's calls, and how its forms learn why one was refused. */

import { AccountApi } from '../api/accountApi'
import { BucketsApi } from '../api/bucketsApi'
import { ApiError, Unreachable } from '../api/client'
import { LibrariesApi } from '../api/librariesApi'
import { placeIn, session } from '../api/pageSession'
import { IncidentApi } from '../api/incidentApi'
import { ConsentApi, TeamApi } from '../api/teamApi'
import type { Problem, SignedIn } from '../api/types'
import { app, client } from '../lib/appState.svelte'
import { forgetMember } from '../lib/memberStorage'

export const accounts = new AccountApi(client)
export const team = new TeamApi(client)
export const libraries = new LibrariesApi(client)
export const buckets = new BucketsApi(client)
export const incidents = new IncidentApi(client)
export const consents = new ConsentApi(client)

/** Calls, and returns what the server refused it for; null if it worked. A form shows that beside its fields. */
export async function refusal(call: () => Promise<void>): Promise<Problem | null> {
  try {
    await call()
    return null
  } catch (error) {
    if (error instanceof Unreachable) return { code: 'server.unreachable', cause: app.t('team_page.unreachable'), remedy: app.t('team_page.unreachable_text'), params: {} }
    if (!(error instanceof ApiError)) throw error
    if (error.status === 401) app.refuse(error)
    return error.problem
  }
}

/** Begins anew as the one who signed in: nothing of who was here before is kept. */
export function enter(kept: SignedIn, place: string = placeIn(location)): void {
  session.begin(kept)
  history.replaceState(null, '', location.pathname + place)
  location.reload()
}

/** Ends the session, also at the provider that opened it. */
export async function leave(): Promise<void> {
  let address: string | null = null
  await refusal(async () => void (address = (await accounts.signOut()).address))
  session.end()
  forgetMember()
  history.replaceState(null, '', location.pathname)
  if (address === null) location.reload()
  else location.assign(address)
}
