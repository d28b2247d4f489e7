import { Lazy } from '../lib/lazy.svelte'

export const lazyClassList = new Lazy<typeof import('./classListPages')>()
