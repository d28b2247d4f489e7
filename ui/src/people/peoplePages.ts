/** Everything about people that the first page does without: what is exported here makes up one file, read when somebody first goes there. */

import * as texts from 'virtual:texts/people_page'

import { extend } from '../lib/i18n'

extend(texts)

export { default as FaceSearch } from './FaceSearch.svelte'
export { default as PeopleChoice } from './PeopleChoice.svelte'
export { default as People } from './People.svelte'
