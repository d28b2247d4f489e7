/** The parts of this room that are loaded lazily, see `lazyLibrary.ts`. */

export { default as DayField } from '../lib/components/DayField.svelte'
export { default as FolderTree } from './FolderTree.svelte'
export { default as OnlineOnlyPage } from './OnlineOnlyPage.svelte'
export { default as ProblemsPage } from './ProblemsPage.svelte'
export { default as SearchDialog } from './SearchDialog.svelte'
