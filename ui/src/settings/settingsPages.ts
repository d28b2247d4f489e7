/** The parts of this room that are loaded lazily, see `lazySettings.ts`, and the texts of its team card. */

import * as team from 'virtual:texts/team_card'

import { extend } from '../lib/i18n'

extend(team)

export { default as OnboardingPage } from './OnboardingPage.svelte'
export { default as HelpPage } from './HelpPage.svelte'
export { default as ShortcutOverlay } from './ShortcutOverlay.svelte'
export { default as SettingsPage } from './SettingsPage.svelte'
export { default as OnboardingCard } from './OnboardingCard.svelte'
