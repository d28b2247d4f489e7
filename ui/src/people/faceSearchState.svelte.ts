/** Whether a photo is being searched with, and which; how that goes is told by the part of the program that is read for it. */

import { lazyPeople } from './lazyPeople'

export const faceSearch = $state<{ open: boolean; photo: Blob | null }>({ open: false, photo: null })

/** Opens the search; with a photo it begins. */
export function searchBy(photo: Blob | null): void {
  lazyPeople.wanted = true
  faceSearch.photo = photo
  faceSearch.open = true
}
