/** Parses a page's fragment: `#photos`, `#photo-12`, `#people/12`, `#status`, `#online-only`, `#settings/engine.max_memory_mb`; what follows a `?` is the filter of the photos. */

import type { Scope } from '../api/types'

/** Those that number keys go to, in the sidebar's order. */
export const PAGES = ['photos', 'albums', 'people', 'covers', 'problems', 'status', 'settings'] as const
/** Those that only a team's server has. */
const TEAM_PAGES = ['account', 'members', 'libraries', 'record', 'workers', 'backups', 'consents', 'class-list', 'incidents', 'alerts', 'invitation', 'my-consent', 'provider', 'join'] as const
const KNOWN = [...PAGES, 'help', 'faces', 'online-only', ...TEAM_PAGES] as const
export type Page = (typeof KNOWN)[number]

/** The scope that each page needs; null: none. */
export const NEEDED: Readonly<Record<Page, Scope | null>> = {
  photos: 'photos.read',
  albums: 'photos.read',
  people: 'people.read',
  faces: 'people.search',
  covers: 'redaction.read',
  problems: 'system.read',
  'online-only': 'system.read',
  status: 'system.read',
  settings: 'settings.read',
  help: null,
  account: 'self',
  members: 'members.manage',
  libraries: 'members.manage',
  record: 'record.read',
  workers: 'system.read',
  backups: 'system.read',
  consents: 'consent.read',
  'class-list': 'consent.write',
  incidents: 'incidents.read',
  alerts: 'alerts.read',
  invitation: null,
  'my-consent': null,
  provider: null,
  join: 'people.recognise',
}

/** Where one is taken without an address: the first that one may see. */
const HOMES = ['photos', 'record', 'account'] as const

export function homePage(can: (scope: Scope) => boolean): Page {
  return HOMES.find((page) => can(NEEDED[page] as Scope)) ?? 'help'
}

export interface Route {
  readonly page: Page
  /** the photo shown large */
  readonly photo: number | null
  /** what on the page, such as a setting's key */
  readonly part: string | null
}

export function routeOf(hash: string): Route {
  const [name = '', ...rest] = hash.replace(/^#|\?.*$/g, '').split('/')
  const photo = /^photo-(\d{1,15})$/.exec(name)?.[1]
  if (photo !== undefined) return { page: 'photos', photo: Number(photo), part: null }
  const page = KNOWN.find((known) => known === name) ?? 'photos'
  const part = rest.length > 0 ? decode(rest.join('/')) : null
  if (page === 'faces' && !/^\d{1,15}$/.test(part ?? '')) return { page: 'photos', photo: null, part: null }
  return { page, photo: null, part }
}

/** The album whose photos are shown. */
export function albumOf({ page, part }: Route): number | null {
  return page === 'albums' && part !== null && /^\d{1,15}$/.test(part) ? Number(part) : null
}

/** Returns a function that tells whether the user is still on this page: a late answer must not take them elsewhere. */
export function here(): () => boolean {
  const place = location.hash
  return () => location.hash === place
}

/** Where a setting is changed, or all of them. */
export function settingPlace(key: string | null | undefined): string {
  return key == null ? 'settings' : `settings/${key}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
