/** Which photos are to get covered copies, asked from anywhere; the sheet that asks how is read when it is wanted. */

import { lazyRedaction } from './lazyRedaction'

class RedactionRequest {
  /** ids of photos; null while nothing is asked */
  asked = $state.raw<readonly number[] | null>(null)

  ask = (ids: readonly number[]): void => {
    this.asked = ids
    if (!lazyRedaction.parts) void lazyRedaction.load()
  }

  end = (): void => void (this.asked = null)
}

export const redactionRequest = new RedactionRequest()
