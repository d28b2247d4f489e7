/** The small first script: requests the photos and their first pictures while the program is loading. */

import { thumbnailUrl } from './api/client'
import { EVERYTHING, filterQuery } from './api/photoFilter'
import { askEarly } from './api/prefetch'
import { routeOf } from './lib/route'
import { unpack } from './library/photoOrder'

/** As many as a usual window shows. */
const PICTURES = 32

async function photos(): Promise<void> {
  const response = await askEarly(`/api/library${filterQuery(EVERYTHING)}`)
  if (!response.ok) return
  const { ids } = unpack(await response.clone().arrayBuffer())
  for (const id of ids.subarray(0, PICTURES)) new Image().src = thumbnailUrl(id)
}

// What fails here is asked for again by the program, which says why it failed.
if (routeOf(location.hash).page === 'photos') photos().catch(() => undefined)
void import('./main')
