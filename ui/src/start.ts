/** The small first script: requests the photos and their first pictures while the program is loading. */

import { thumbnailUrl } from './api/client'
import { EVERYTHING, filterQuery } from './api/photoFilter'
import { askEarly, sawPhotos } from './api/prefetch'
import { isRemote } from './lib/remote'
import { routeOf } from './lib/route'
import { unpack } from './library/photoOrder'
import { filterOf } from './library/photoPlaces'

/** As many as a usual window shows. */
const PICTURES = 32

/** Over a line on which the first script took longer, the pictures would hold up the program. */
const SLOW_MS = 1_200

const program = import('./main')

async function photos(): Promise<void> {
  const response = await askEarly(`/api/library${filterQuery(filterOf(location.hash) ?? EVERYTHING)}`)
  if (!response.ok) return
  const { ids } = unpack(await response.clone().arrayBuffer())
  if (performance.now() > SLOW_MS) await program
  for (const id of ids.subarray(0, PICTURES)) {
    const picture = new Image()
    picture.fetchPriority = 'low' // the program itself comes first
    picture.src = thumbnailUrl(id)
  }
}

// What fails here is asked for again by the program, which says why it failed.
if (routeOf(location.hash).page === 'photos' && (!isRemote() || sawPhotos())) photos().catch(() => undefined)
