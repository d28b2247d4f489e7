/** Calls about signing in, invitations, and the user's own account. */

import type { AccountSessionOut, InvitationOut, PasskeyOptions, PasskeyOut, PasskeysOut, SecondFactorOut, ServerOut, SignedIn, SignedOut, Tokens } from './types'
import type { Client } from './client'

type Options = Record<string, unknown>

export interface Credentials {
  readonly name: string
  readonly password: string
  /** of the second factor, or one of its recovery codes */
  readonly code?: string
  /** a passkey's answer, in place of the code */
  readonly passkey?: Readonly<Record<string, unknown>>
}

/** What an invitation is accepted by. */
export interface Acceptance {
  readonly password?: string
  readonly new_passkey?: { readonly name: string; readonly credential: Readonly<Record<string, unknown>> }
  readonly code?: string
  readonly passkey?: Readonly<Record<string, unknown>>
}

export interface NewToken {
  readonly name: string
  readonly scopes: readonly string[]
  /** until it ends */
  readonly days: number
  /** the member's, if they have one */
  readonly password: string | null
}

export class AccountApi {
  constructor(private readonly client: Pick<Client, 'request'>) {}

  server = (): Promise<ServerOut> => this.client.request('GET', '/api/server')
  signIn = (credentials: Credentials): Promise<SignedIn> => this.client.request('POST', '/api/account/sign-in', credentials)
  /** Also says where the provider's own session ends, if that opened this one. */
  signOut = (): Promise<SignedOut> => this.client.request('POST', '/api/account/provider/sign-out')

  invitation = (token: string): Promise<InvitationOut> => this.client.request('GET', `/api/invitations/${encodeURIComponent(token)}`)
  /** Sets the password, or keeps the new passkey, and signs in. */
  accept = (token: string, choice: Acceptance): Promise<SignedIn> =>
    this.client.request('POST', `/api/invitations/${encodeURIComponent(token)}`, choice)

  /** What others see. */
  changeDisplayName = (name: string): Promise<void> => this.client.request('PATCH', '/api/account', { display_name: name })
  changePassword = (old: string, password: string): Promise<void> => this.client.request('POST', '/api/account/password', { old, new: password })
  sessions = async (): Promise<readonly AccountSessionOut[]> => (await this.client.request<{ items: readonly AccountSessionOut[] }>('GET', '/api/account/sessions')).items
  endSession = (number: number): Promise<void> => this.client.request('DELETE', `/api/account/sessions/${number}`)

  /** The secret that the authenticator app is to know. */
  beginSecondFactor = (password: string | null): Promise<SecondFactorOut> => this.client.request('POST', '/api/account/second-factor', { password })
  /** The recovery codes, which are shown only now. */
  confirmSecondFactor = async (code: string): Promise<readonly string[]> =>
    (await this.client.request<SecondFactorOut>('POST', '/api/account/second-factor', { code })).recovery_codes
  endSecondFactor = (code: string): Promise<void> => this.client.request('DELETE', '/api/account/second-factor', { code })

  /** Options for the browser, to sign in by a passkey alone or beside a password. */
  askPasskey = async (second: boolean): Promise<Options> => (await this.client.request<PasskeyOptions>('POST', '/api/account/passkey-challenge', { second })).public_key
  signInByPasskey = (passkey: Options): Promise<SignedIn> => this.client.request('POST', '/api/account/passkey-sign-in', { passkey })
  /** Options for a passkey that accepts an invitation. */
  askInvited = async (token: string): Promise<Options> =>
    (await this.client.request<PasskeyOptions>('POST', `/api/invitations/${encodeURIComponent(token)}/passkey-challenge`)).public_key
  passkeys = (): Promise<PasskeysOut> => this.client.request('GET', '/api/account/passkeys')
  beginPasskey = async (password: string | null): Promise<Options> =>
    (await this.client.request<PasskeyOptions>('POST', '/api/account/passkeys/challenge', { password })).public_key
  addPasskey = (name: string, credential: Options): Promise<PasskeyOut> => this.client.request('POST', '/api/account/passkeys', { name, credential })
  renamePasskey = (id: string, name: string): Promise<void> => this.client.request('PATCH', `/api/account/passkeys/${id}`, { name })
  removePasskey = (id: string, password: string | null): Promise<void> => this.client.request('DELETE', `/api/account/passkeys/${id}`, { password })

  tokens = (): Promise<Tokens> => this.client.request('GET', '/api/account/tokens')
  /** The token itself, which is shown only now. */
  addToken = async (wanted: NewToken): Promise<string> => (await this.client.request<{ token: string }>('POST', '/api/account/tokens', wanted)).token
  revokeToken = (id: string): Promise<void> => this.client.request('DELETE', `/api/account/tokens/${encodeURIComponent(id)}`)
}
