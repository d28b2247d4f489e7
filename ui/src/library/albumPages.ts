/** The parts about albums, which are loaded lazily, see `lazyAlbums.ts`, and their texts. */

import * as texts from 'virtual:texts/album_page'

import { extend } from '../lib/i18n'

extend(texts)

export { default as AddToAlbum } from './AddToAlbum.svelte'
export { default as AlbumActions } from './AlbumActions.svelte'
export { default as AlbumHead } from './AlbumHead.svelte'
export { default as AlbumsPage } from './AlbumsPage.svelte'
