/** Whether the search by face is open, and with which photo. */

import { lazyFaces } from './lazyFaces'

export const faceSearch = $state<{ open: boolean; photo: Blob | null }>({ open: false, photo: null })

/** Opens the search; with a photo it begins. */
export function searchBy(photo: Blob | null): void {
  lazyFaces.wanted = true
  faceSearch.photo = photo
  faceSearch.open = true
}
