/** The parts of the program that the first page does without: what is exported here makes up one file, which `later.svelte.ts` reads later. */

import type * as CoverPages from './coverPages'
import type * as PeoplePages from './peoplePages'

/** Those about people use much of these, so they come after them. */
export const people = (): Promise<typeof PeoplePages> => import('./peoplePages')

/** The same for covered copies. */
export const covers = (): Promise<typeof CoverPages> => import('./coverPages')

export { default as DayField } from './components/grid/DayField.svelte'
export { default as FolderTree } from './components/grid/FolderTree.svelte'
export { default as KeysOverlay } from './components/help/KeysOverlay.svelte'
export { default as SearchDialog } from './components/search/SearchDialog.svelte'
export { default as WelcomeCard } from './components/welcome/WelcomeCard.svelte'
export { default as FirstRun } from './pages/FirstRun.svelte'
export { default as Help } from './pages/Help.svelte'
export { default as OnlineOnly } from './pages/OnlineOnly.svelte'
export { default as Problems } from './pages/Problems.svelte'
export { default as Settings } from './pages/Settings.svelte'
export { default as Status } from './pages/Status.svelte'
