/** Results of a search by face. */

import type { FaceSearchOut } from '../api/types'

export type Alike = FaceSearchOut['faces'][number]

/** The photos with faces like it, each once, the most alike first. */
export function imagesOf({ found }: Alike): readonly number[] {
  return [...new Set(found.map(({ image_id }) => image_id))]
}
