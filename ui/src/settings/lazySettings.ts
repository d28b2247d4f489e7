import { Lazy } from '../lib/lazy.svelte'

export const lazySettings = new Lazy<typeof import('./settingsPages')>()
