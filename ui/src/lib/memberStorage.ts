/** What the browser keeps for the one who is signed in, beside the session. It goes when they sign out: the next may be another. */

import { SEES_PHOTOS } from '../api/prefetch'

export const COPIES_FOLDER = 'covers.folder'
export const UPLOAD_LIBRARY = 'uploads.library'

export function forgetMember(page: Pick<Window, 'localStorage' | 'sessionStorage'> = window): void {
  try {
    page.sessionStorage.clear()
    for (const key of [COPIES_FOLDER, UPLOAD_LIBRARY, SEES_PHOTOS]) page.localStorage.removeItem(key)
  } catch {
    // Without storage nothing was kept.
  }
}
