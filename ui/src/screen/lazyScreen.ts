import { Lazy } from '../lib/lazy.svelte'

export const lazyScreen = new Lazy<typeof import('./screenPages')>()
