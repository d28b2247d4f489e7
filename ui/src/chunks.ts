/** Says which file of the built program each room's lazy parts come from. */

import { lazyAlbums } from './library/lazyAlbums'
import { lazyLibrary } from './library/lazyLibrary'
import { lazyFaces } from './people/lazyFaces'
import { lazyPeople } from './people/lazyPeople'
import { lazyRedaction } from './redaction/lazyRedaction'
import { lazyScreen } from './screen/lazyScreen'
import { lazySettings } from './settings/lazySettings'
import { lazyTeamFolders } from './settings/lazyTeamFolders'
import { lazyStatus } from './status/lazyStatus'
import { lazyAdmin } from './team/lazyAdmin'
import { lazyClassList } from './team/lazyClassList'
import { lazyTeam } from './team/lazyTeam'

export function connectChunks(): void {
  lazyLibrary.from(async () => (await import('./rest')).library)
  lazyAlbums.from(() => import('./library/albumPages'))
  lazySettings.from(async () => (await import('./rest')).settings)
  lazyStatus.from(async () => (await import('./rest')).status)
  lazyPeople.from(async () => (await import('./rest')).people())
  lazyFaces.from(() => import('./people/facePages'))
  lazyRedaction.from(async () => (await (await import('./rest')).redactionAndScreen()).redaction)
  lazyTeamFolders.from(() => import('./settings/teamParts'))
  lazyTeam.from(() => import('./team/teamPages'))
  // Its pages need the texts of the team's.
  lazyAdmin.from(async () => (await Promise.all([import('./team/adminPages'), import('./team/teamPages')]))[0])
  lazyClassList.from(async () => (await Promise.all([import('./team/classListPages'), import('./team/teamPages')]))[0])
  lazyScreen.from(async () => (await (await import('./rest')).redactionAndScreen()).screen)
}
