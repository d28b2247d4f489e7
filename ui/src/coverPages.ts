/** Everything about covered copies: what is exported here makes up one file, read when somebody first asks for it. */

import * as texts from 'virtual:texts/cover_page'

import { extend } from './i18n'

extend(texts)

export { default as CaptureActions } from './components/cover/CaptureActions.svelte'
export { default as CaptureCard } from './components/cover/CaptureCard.svelte'
export { default as CoverSheet } from './components/cover/CoverSheet.svelte'
export { default as FolderCopies } from './components/cover/FolderCopies.svelte'
export { default as Covers } from './pages/Covers.svelte'
