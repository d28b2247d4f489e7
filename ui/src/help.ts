/** The pages of the docs, each read when it is opened. */

import type { Language } from './i18n'

export const PAGES = ['guide', 'settings', 'errors'] as const
export type HelpPage = (typeof PAGES)[number]

type Reader = () => Promise<{ readonly default: string }>

const READERS: Readonly<Record<HelpPage, Readonly<Record<Language, Reader>>>> = {
  guide: { en: () => import('../../docs/guide.md?page'), 'zh-CN': () => import('../../docs/guide.zh-CN.md?page') },
  settings: { en: () => import('../../docs/reference/settings.md?page'), 'zh-CN': () => import('../../docs/reference/settings.zh-CN.md?page') },
  errors: { en: () => import('../../docs/reference/errors.md?page'), 'zh-CN': () => import('../../docs/reference/errors.zh-CN.md?page') },
}

/** HTML made from our own pages when the UI was built. */
export async function readPage(page: HelpPage, language: Language): Promise<string> {
  return (await READERS[page][language]()).default
}

/** `guide/watch-a-folder` in its parts. */
export function helpPart(part: string | null): { readonly page: HelpPage; readonly heading: string | null } {
  const [name, ...rest] = (part ?? '').split('/')
  return { page: PAGES.find((known) => known === name) ?? 'guide', heading: rest.join('/') || null }
}
