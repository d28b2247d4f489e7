import { Lazy } from '../lib/lazy.svelte'

export const lazyAlbums = new Lazy<typeof import('./albumPages')>()
