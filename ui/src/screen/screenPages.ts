/** The parts of this room that are loaded lazily, see `lazyScreen.ts`. */

export { default as CaptureActions } from './CaptureActions.svelte'
export { default as CaptureCard } from './CaptureCard.svelte'
