/** What each page is called in the browser’s tab and history: never a person or a file. */

import type { Page } from './lib/route'

export const TITLES: Readonly<Record<Page, string>> = {
  photos: 'ui.nav.photos',
  albums: 'ui.nav.albums',
  people: 'ui.nav.people',
  faces: 'ui.library.face.search',
  covers: 'ui.nav.covers',
  problems: 'ui.nav.problems',
  'online-only': 'ui.library.online_only',
  status: 'ui.nav.status',
  settings: 'ui.nav.settings',
  help: 'ui.help.pages',
  account: 'team_page.account.title',
  members: 'team_page.members.title',
  libraries: 'team_page.libraries.title',
  record: 'team_page.record.title',
  workers: 'team_page.workers.title',
  backups: 'team_page.backups.title',
  consents: 'team_page.consent.title',
  'class-list': 'list_page.title',
  incidents: 'team_page.incidents.title',
  alerts: 'team_page.nav.alerts',
  join: 'team_page.join.title',
  invitation: 'app.name',
  'my-consent': 'app.name',
  provider: 'app.name',
}
