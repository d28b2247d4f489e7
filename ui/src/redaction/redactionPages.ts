/** The parts of this room that are loaded lazily, see `lazyRedaction.ts`, and their texts. */

import * as texts from 'virtual:texts/cover_page'

import { extend } from '../lib/i18n'

extend(texts)

export { default as RedactionSheet } from './RedactionSheet.svelte'
export { default as FolderRedaction } from './FolderRedaction.svelte'
export { default as RedactionPage } from './RedactionPage.svelte'
