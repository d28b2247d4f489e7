/** The pages of the help, each read when it is opened. */

import type { Reference } from './api/types'
import type { Language } from './i18n'
import { client } from './state.svelte'

export const PAGES = ['guide', 'settings', 'errors'] as const
export type HelpPage = (typeof PAGES)[number]

const GUIDE: Readonly<Record<Language, () => Promise<{ readonly default: string }>>> = {
  en: () => import('../../docs/guide.md?page'),
  'zh-CN': () => import('../../docs/guide.zh-CN.md?page'),
}

/** The guide is HTML made when the UI was built; what there is of settings and errors, the agent says, which knows it anyway. */
export async function readPage(page: HelpPage, language: Language): Promise<string | Reference> {
  return page === 'guide' ? (await GUIDE[language]()).default : client.request<Reference>('GET', `/api/help/${page}`)
}

/** `guide/watch-a-folder` in its parts. */
export function helpPart(part: string | null): { readonly page: HelpPage; readonly heading: string | null } {
  const [name, ...rest] = (part ?? '').split('/')
  return { page: PAGES.find((known) => known === name) ?? 'guide', heading: rest.join('/') || null }
}
