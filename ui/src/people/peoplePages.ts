/** The parts of this room that are loaded lazily, see `lazyPeople.ts`, and their texts. */

import * as texts from 'virtual:texts/people_page'

import { extend } from '../lib/i18n'

extend(texts)

export { default as PeopleChoice } from './PeopleChoice.svelte'
export { default as PeoplePage } from './PeoplePage.svelte'
