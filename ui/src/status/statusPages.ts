/** The parts of this room that are loaded lazily, see `lazyStatus.ts`. */

export { default as StatusPage } from './StatusPage.svelte'
