import { Lazy } from '../lib/lazy.svelte'

/** Only computers that joined a team need it. */
export const lazyTeamFolders = new Lazy<typeof import('./teamParts')>()
