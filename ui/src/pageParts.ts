/** Says which lazy parts each page is one of; the photos are always there. */

import { lazyAlbums } from './library/lazyAlbums'
import { lazyLibrary } from './library/lazyLibrary'
import { lazyFaces } from './people/lazyFaces'
import { lazyPeople } from './people/lazyPeople'
import { lazyRedaction } from './redaction/lazyRedaction'
import { lazySettings } from './settings/lazySettings'
import { lazyStatus } from './status/lazyStatus'
import { lazyAdmin } from './team/lazyAdmin'
import { lazyClassList } from './team/lazyClassList'
import { lazyTeam } from './team/lazyTeam'
import type { Page } from './lib/route'

export const PARTS = {
  albums: lazyAlbums,
  people: lazyPeople,
  faces: lazyFaces,
  covers: lazyRedaction,
  problems: lazyLibrary,
  'online-only': lazyLibrary,
  status: lazyStatus,
  settings: lazySettings,
  help: lazySettings,
  account: lazyTeam,
  members: lazyAdmin,
  libraries: lazyAdmin,
  record: lazyAdmin,
  workers: lazyAdmin,
  backups: lazyAdmin,
  incidents: lazyAdmin,
  alerts: lazyAdmin,
  consents: lazyTeam,
  'class-list': lazyClassList,
  invitation: lazyTeam,
  'my-consent': lazyTeam,
  provider: lazyTeam,
  join: lazyTeam,
} as const satisfies Record<Exclude<Page, 'photos'>, unknown>
