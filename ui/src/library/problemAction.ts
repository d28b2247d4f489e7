/** The button that goes with a file that could not be analysed. */

import type { PlaceProblem } from '../api/types'
import type { AppState } from '../lib/appState.svelte'
import { settingPlace } from '../lib/route'

export interface Action {
  readonly title: string
  readonly run: () => unknown
}

/** @param go leads to a place in the program, such as `settings` */
export function actionOf(file: PlaceProblem, app: Pick<AppState, 't' | 'retryPlace' | 'showPlace' | 'clearPlace'>, go: (place: string) => unknown): Action {
  switch (file.action) {
    case 'retry':
      return { title: app.t('ui.problems.retry'), run: () => app.retryPlace(file.place_id) }
    case 'show':
      return { title: app.t('ui.problems.show'), run: () => app.showPlace(file.place_id) }
    case 'settings':
      return { title: app.t('ui.problems.settings'), run: () => go(settingPlace(file.problem.setting)) }
    case 'clear':
      return { title: app.t('ui.problems.clear'), run: () => app.clearPlace(file.place_id) }
  }
}
