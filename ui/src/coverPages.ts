/** Everything about covered copies: what is exported here makes up one file, read when somebody first asks for it. */

import * as texts from 'virtual:texts/cover_page'

import { extend } from './lib/i18n'

extend(texts)

export { default as CaptureActions } from './screen/CaptureActions.svelte'
export { default as CaptureCard } from './screen/CaptureCard.svelte'
export { default as CoverSheet } from './redaction/CoverSheet.svelte'
export { default as FolderCopies } from './redaction/FolderCopies.svelte'
export { default as Covers } from './redaction/Covers.svelte'
