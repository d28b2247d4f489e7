import { Lazy } from '../lib/lazy.svelte'

export const lazyTeam = new Lazy<typeof import('./teamPages')>()
