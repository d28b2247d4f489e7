import { Lazy } from '../lib/lazy.svelte'

export const lazyAdmin = new Lazy<typeof import('./adminPages')>()
