/** One file of the built program: the rooms' parts that the first page does without. */

import type * as PeoplePages from './people/peoplePages'
import type * as RedactionAndScreen from './redactionAndScreen'

/** These use much of what is in this file, so they are loaded after it. */
export const people = (): Promise<typeof PeoplePages> => import('./people/peoplePages')
export const redactionAndScreen = (): Promise<typeof RedactionAndScreen> => import('./redactionAndScreen')

export * as library from './library/libraryPages'
export * as settings from './settings/settingsPages'
export * as status from './status/statusPages'
