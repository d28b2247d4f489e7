/** The parts of this room that are loaded lazily, see `lazySettings.ts`. */

export { default as OnboardingPage } from './OnboardingPage.svelte'
export { default as HelpPage } from './HelpPage.svelte'
export { default as ShortcutOverlay } from './ShortcutOverlay.svelte'
export { default as SettingsPage } from './SettingsPage.svelte'
export { default as OnboardingCard } from './OnboardingCard.svelte'
