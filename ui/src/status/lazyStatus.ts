import { Lazy } from '../lib/lazy.svelte'

export const lazyStatus = new Lazy<typeof import('./statusPages')>()
