/** Calls about signing in by an OpenID provider. */

import type { Client } from './client'
import type { ProviderBegun, ProviderEntered, ProviderLinks, ProviderOut, SecondFactorWanted, SignedIn } from './types'

/** What the provider sent the browser back with, and what the page kept. */
export type ProviderAnswer = Readonly<Record<'state' | 'keep' | 'code' | 'error' | 'iss', string>>

export interface SecondFactor {
  readonly code?: string
  readonly passkey?: Readonly<Record<string, unknown>>
}

export class ProviderApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  known = (): Promise<ProviderOut> => this.client.request('GET', '/api/account/provider')
  begin = (): Promise<ProviderBegun> => this.client.request('POST', '/api/account/provider/begin')
  signIn = (answer: ProviderAnswer): Promise<ProviderEntered> => this.client.request('POST', '/api/account/provider/sign-in', answer)
  second = ({ state, keep, member, session }: SecondFactorWanted, shown: SecondFactor): Promise<SignedIn> =>
    this.client.request('POST', '/api/account/provider/second-factor', { state, keep, member, session, ...shown })

  beginInvited = (token: string, shown: SecondFactor): Promise<ProviderBegun> =>
    this.client.request('POST', `/api/invitations/${encodeURIComponent(token)}/provider-begin`, shown)
  accept = (token: string, answer: ProviderAnswer): Promise<SignedIn> =>
    this.client.request('POST', `/api/invitations/${encodeURIComponent(token)}/provider`, answer)

  links = (): Promise<ProviderLinks> => this.client.request('GET', '/api/account/provider/links')
  beginLink = (password: string | null): Promise<ProviderBegun> => this.client.request('POST', '/api/account/provider/links/begin', { password })
  link = (answer: ProviderAnswer): Promise<void> => this.client.request('POST', '/api/account/provider/links', answer)
  unlink = (issuer: string, password: string | null): Promise<void> =>
    this.client.request('DELETE', `/api/account/provider/links?issuer=${encodeURIComponent(issuer)}`, { password })
}
