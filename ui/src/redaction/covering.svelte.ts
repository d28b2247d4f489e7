/** Which photos are to get covered copies, asked from anywhere; the sheet that asks how is read when it is wanted. */

import { laterCovers } from '../lib/later.svelte'

class Covering {
  /** ids of photos; null while nothing is asked */
  asked = $state.raw<readonly number[] | null>(null)

  ask = (ids: readonly number[]): void => {
    this.asked = ids
    if (!laterCovers.parts) void laterCovers.read()
  }

  end = (): void => void (this.asked = null)
}

export const covering = new Covering()
