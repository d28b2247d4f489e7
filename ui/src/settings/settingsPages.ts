/** The parts of this room that are loaded lazily, see `lazySettings.ts`. */

export { default as FirstRun } from './FirstRun.svelte'
export { default as Help } from './Help.svelte'
export { default as KeysOverlay } from './KeysOverlay.svelte'
export { default as Settings } from './Settings.svelte'
export { default as WelcomeCard } from './WelcomeCard.svelte'
