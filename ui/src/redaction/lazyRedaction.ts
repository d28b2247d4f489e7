import { Lazy } from '../lib/lazy.svelte'

export const lazyRedaction = new Lazy<typeof import('./redactionPages')>()
