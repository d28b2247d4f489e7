/** The pages of the help, loaded when they are opened. */

import { ApiError } from '../api/client'
import type { GuidePage, Reference } from '../api/types'
import { client } from '../lib/appState.svelte'
import type { Language } from '../lib/i18n'

/** What the program knows itself; every other page is one of the guide. */
const REFERENCE: readonly string[] = ['settings', 'errors']
/** `about` is a page of the program, not of the guide. */
export const HELP_PAGES = ['guide', 'settings', 'errors', 'about'] as const

/** HTML for a page of the guide. */
export type HelpPage = string | Reference
const kept = new Map<string, HelpPage>()

/** What was read before is there without the agent too. For a page that there is no more, the guide's first one. */
export async function read(page: string, language: Language): Promise<HelpPage> {
  const key = `${language}/${page}`
  try {
    const found =
      kept.get(key) ??
      (REFERENCE.includes(page)
        ? await client.request<Reference>('GET', `/api/help/${page}`)
        : (await client.request<GuidePage>('GET', `/api/help/guide/${page}`)).html)
    kept.set(key, found)
    return found
  } catch (error) {
    if (page === 'guide' || !(error instanceof ApiError) || error.status !== 404) throw error
    return read('guide', language)
  }
}

/** `guide/watch-a-folder` in its parts. */
export function helpPart(part: string | null): { readonly page: string; readonly heading: string | null } {
  const [name, ...rest] = (part ?? '').split('/')
  return { page: name || 'guide', heading: rest.join('/') || null }
}
