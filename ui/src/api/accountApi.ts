/** Calls about signing in, invitations, and the user's own account. */

import type { AccountSessionOut, InvitationOut, SecondFactorOut, ServerOut, SignedIn, Tokens } from './types'
import type { Client } from './client'

export interface Credentials {
  readonly name: string
  readonly password: string
  /** of the second factor, or one of its recovery codes */
  readonly code?: string
}

export interface NewToken {
  readonly name: string
  readonly scopes: readonly string[]
  /** until it ends */
  readonly days: number
}

export class AccountApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  server = (): Promise<ServerOut> => this.client.request('GET', '/api/server')
  signIn = (credentials: Credentials): Promise<SignedIn> => this.client.request('POST', '/api/account/sign-in', credentials)
  signOut = (): Promise<void> => this.client.request('POST', '/api/account/sign-out')

  invitation = (token: string): Promise<InvitationOut> => this.client.request('GET', `/api/invitations/${encodeURIComponent(token)}`)
  /** Sets the password and signs in. */
  accept = (token: string, choice: { readonly password: string; readonly code?: string }): Promise<SignedIn> =>
    this.client.request('POST', `/api/invitations/${encodeURIComponent(token)}`, choice)

  /** What others see. */
  changeDisplayName = (name: string): Promise<void> => this.client.request('PATCH', '/api/account', { display_name: name })
  changePassword = (old: string, password: string): Promise<void> => this.client.request('POST', '/api/account/password', { old, new: password })
  sessions = async (): Promise<readonly AccountSessionOut[]> => (await this.client.request<{ items: readonly AccountSessionOut[] }>('GET', '/api/account/sessions')).items
  endSession = (number: number): Promise<void> => this.client.request('DELETE', `/api/account/sessions/${number}`)

  /** The secret that the authenticator app is to know. */
  beginSecondFactor = (): Promise<SecondFactorOut> => this.client.request('POST', '/api/account/second-factor', {})
  /** The recovery codes, which are shown only now. */
  confirmSecondFactor = async (code: string): Promise<readonly string[]> =>
    (await this.client.request<SecondFactorOut>('POST', '/api/account/second-factor', { code })).recovery_codes
  endSecondFactor = (code: string): Promise<void> => this.client.request('DELETE', '/api/account/second-factor', { code })

  tokens = (): Promise<Tokens> => this.client.request('GET', '/api/account/tokens')
  /** The token itself, which is shown only now. */
  addToken = async (wanted: NewToken): Promise<string> => (await this.client.request<{ token: string }>('POST', '/api/account/tokens', wanted)).token
  revokeToken = (id: string): Promise<void> => this.client.request('DELETE', `/api/account/tokens/${encodeURIComponent(id)}`)
}
