/** The photos that the user wants covered copies of, set from anywhere; the sheet for the options is loaded on demand. */

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
