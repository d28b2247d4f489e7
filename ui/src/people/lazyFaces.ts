import { Lazy } from '../lib/lazy.svelte'

export const lazyFaces = new Lazy<typeof import('./facePages')>()
