/** The search by a face, which is loaded lazily, see `lazyFaces.ts`, and its texts. */

import * as texts from 'virtual:texts/face_page'

import { extend } from '../lib/i18n'

extend(texts)

export { default as FaceMatchesPage } from './FaceMatchesPage.svelte'
export { default as FaceSearch } from './FaceSearch.svelte'
export { default as SearchByFace } from './SearchByFace.svelte'
