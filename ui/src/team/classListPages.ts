/** The page that imports a class list, which most never open, see `lazyClassList.ts`, and its texts. */

import * as texts from 'virtual:texts/list_page'

import { extend } from '../lib/i18n'

extend(texts)

export { default as ClassListPage } from './ClassListPage.svelte'
