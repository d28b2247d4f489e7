import { Lazy } from '../lib/lazy.svelte'

export const lazyLibrary = new Lazy<typeof import('./libraryPages')>()
