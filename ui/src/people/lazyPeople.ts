import { Lazy } from '../lib/lazy.svelte'

export const lazyPeople = new Lazy<typeof import('./peoplePages')>()
