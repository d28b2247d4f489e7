/** The parts of this room that are loaded lazily, see `lazyRedaction.ts`, and their texts. */

import * as texts from 'virtual:texts/cover_page'

import { extend } from '../lib/i18n'

extend(texts)

export { default as CoverSheet } from './CoverSheet.svelte'
export { default as FolderCopies } from './FolderCopies.svelte'
export { default as Covers } from './Covers.svelte'
