/** The parts of the program that the first page does without: what is exported here makes up one file, which `later.svelte.ts` reads later. */

import type * as CoverPages from './coverPages'
import type * as PeoplePages from './people/peoplePages'

/** Those about people use much of these, so they come after them. */
export const people = (): Promise<typeof PeoplePages> => import('./people/peoplePages')

/** The same for covered copies. */
export const covers = (): Promise<typeof CoverPages> => import('./coverPages')

export { default as DayField } from './lib/components/DayField.svelte'
export { default as FolderTree } from './library/FolderTree.svelte'
export { default as KeysOverlay } from './settings/KeysOverlay.svelte'
export { default as SearchDialog } from './library/SearchDialog.svelte'
export { default as WelcomeCard } from './settings/WelcomeCard.svelte'
export { default as FirstRun } from './settings/FirstRun.svelte'
export { default as Help } from './settings/Help.svelte'
export { default as OnlineOnly } from './library/OnlineOnly.svelte'
export { default as Problems } from './library/Problems.svelte'
export { default as Settings } from './settings/Settings.svelte'
export { default as Status } from './status/Status.svelte'
