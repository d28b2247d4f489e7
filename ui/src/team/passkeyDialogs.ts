/** What the browser does with passkeys. The server's options and the browser's answers are both JSON. */

import type { Problem } from '../api/types'
import { app } from '../lib/appState.svelte'

export type Credential = Record<string, unknown>

/** Older browsers don't read options from JSON; without HTTPS there are no passkeys at all. */
export function passkeysWork(): boolean {
  return typeof PublicKeyCredential === 'function' && 'parseCreationOptionsFromJSON' in PublicKeyCredential
}

/** The user closed the browser's dialog, or let it time out. */
export class NotChosen extends Error {}

async function asked(call: () => Promise<globalThis.Credential | null>): Promise<Credential> {
  let found: globalThis.Credential | null
  try {
    found = await call()
  } catch (error) {
    throw new NotChosen(error instanceof DOMException ? error.name : 'unknown', { cause: error })
  }
  if (!(found instanceof PublicKeyCredential)) throw new NotChosen('none')
  return found.toJSON() as Credential
}

export const createPasskey = (options: Credential): Promise<Credential> =>
  asked(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options as unknown as PublicKeyCredentialCreationOptionsJSON) }))

export const showPasskey = (options: Credential): Promise<Credential> =>
  asked(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options as unknown as PublicKeyCredentialRequestOptionsJSON) }))

/** Runs a call that opens the browser's dialog; its refusal becomes words for the form. */
export async function orNotChosen(call: () => Promise<Problem | null>): Promise<Problem | null> {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof NotChosen)) throw error
    const known = error.message === 'InvalidStateError'
    return { code: 'passkey.not_chosen', cause: app.t(known ? 'team_page.passkeys.known' : 'team_page.passkeys.not_chosen'), remedy: app.t(known ? 'team_page.passkeys.known_text' : 'team_page.passkeys.not_chosen_text'), params: {} }
  }
}

/** What a new passkey is called until the user renames it: the device it is probably on. */
export function deviceName(agent = navigator.userAgent): string {
  const found = (['iPhone', 'iPad', 'Android', 'Windows', 'Macintosh', 'Linux'] as const).find((name) => agent.includes(name))
  return found === 'Macintosh' ? 'Mac' : (found ?? app.t('team_page.passkeys.one'))
}
