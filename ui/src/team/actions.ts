/** What can stand in the record, in the catalogue's words. */

import { keys } from 'virtual:texts/record'

import type { Texts } from '../lib/i18n'

/** The actor of what people do by their own links. */
export const BY_LINK = 'link'

const BEFORE = 'record.actions.'

export const ACTIONS: readonly string[] = keys.split('\n').flatMap((key) => (key.startsWith(BEFORE) ? [key.slice(BEFORE.length)] : []))

/** Of an attempt to sign in as no member, the server is not the actor. */
export function isUnknown({ actor, action }: { readonly actor: string; readonly action: string }): boolean {
  return actor === '' && action === 'sign_in_failed'
}

/** An action that this page does not know yet is called what it is in the record. */
export function actionText(action: string, t: Texts): string {
  const key = BEFORE + action
  const text = t(key)
  return text === key ? action : text
}
