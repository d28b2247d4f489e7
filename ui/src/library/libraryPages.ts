/** The parts of this room that are loaded lazily, see `lazyLibrary.ts`. */

export { default as DayField } from '../lib/components/DayField.svelte'
export { default as FolderTree } from './FolderTree.svelte'
export { default as OnlineOnly } from './OnlineOnly.svelte'
export { default as Problems } from './Problems.svelte'
export { default as SearchDialog } from './SearchDialog.svelte'
