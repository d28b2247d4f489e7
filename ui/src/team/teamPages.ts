/** The parts of this room that are loaded lazily, see `lazyTeam.ts`, and their texts. */

import * as texts from 'virtual:texts/team_page'

import { extend } from '../lib/i18n'

extend(texts)

export { default as AccountPage } from './AccountPage.svelte'
export { default as ConsentsPage } from './ConsentsPage.svelte'
export { default as InvitationPage } from './InvitationPage.svelte'
export { default as JoinPage } from './JoinPage.svelte'
export { default as LibraryChoice } from './LibraryChoice.svelte'
export { default as LibrarySelect } from './LibrarySelect.svelte'
export { default as MyConsentPage } from './MyConsentPage.svelte'
export { default as PersonConsents } from './PersonConsents.svelte'
export { default as PersonReferences } from './PersonReferences.svelte'
export { default as ProviderDoor } from './ProviderDoor.svelte'
export { default as SignInPage } from './SignInPage.svelte'
export { default as TeamNav } from './TeamNav.svelte'
export { default as TypedBefore } from './TypedBefore.svelte'
export { default as UploadButton } from '../uploads/UploadButton.svelte'
export { default as UploadPanel } from '../uploads/UploadPanel.svelte'
export { filesOf, uploads } from '../uploads/uploadQueue.svelte'
