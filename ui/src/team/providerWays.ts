/** Signing in by a provider, and its texts: loaded by the pages that offer it. */

import * as texts from 'virtual:texts/provider_page'

import { extend } from '../lib/i18n'

extend(texts)

export { default as ProviderButton } from './ProviderButton.svelte'
export { default as ProviderCard } from './ProviderCard.svelte'
export { default as ProviderPage } from './ProviderPage.svelte'
