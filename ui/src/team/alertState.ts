/** How many alerts fire that are not silenced, for the badge. */

import type { AlertCount } from '../api/types'
import { app, client } from '../lib/appState.svelte'
import { Fetched } from '../lib/resource.svelte'

export const firing = new Fetched(app, async () => (await client.request<AlertCount>('GET', '/api/alerts/count')).firing)
