/** Everything about people that the first page does without: what is exported here makes up one file, read when somebody first goes there. */

import * as texts from 'virtual:texts/people_page'

import { extend } from './i18n'

extend(texts)

export { default as FaceSearch } from './components/people/FaceSearch.svelte'
export { default as PeopleChoice } from './components/people/PeopleChoice.svelte'
export { default as People } from './pages/People.svelte'
