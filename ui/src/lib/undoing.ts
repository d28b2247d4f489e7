/** Undoing a step on the server: whether it worked, and whether anything was left to undo. */

import { ApiError } from '../api/client'
import type { AppState } from './appState.svelte'
import type { Outcome } from './toasts.svelte'

/** @param call undoes the step; what it returns may say that only a part could be undone */
export async function undoing(app: Pick<AppState, 'act'>, call: () => Promise<{ readonly partly?: boolean } | void>): Promise<Outcome> {
  let left: Outcome | null = null
  const worked = await app.act(async () => {
    try {
      if ((await call())?.partly) left = 'partly'
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error
      left = 'gone'
    }
  })
  return worked && left !== null ? left : worked
}
