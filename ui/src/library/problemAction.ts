/** The button that goes with a file that could not be analysed. */

import type { PlaceProblem } from '../api/types'
import type { AppState } from '../lib/appState.svelte'
import { settingPlace } from '../lib/route'

export interface ProblemAction {
  readonly title: string
  readonly run: () => unknown
}

/** What the buttons say, as keys of the catalogue. */
export const PROBLEM_ACTIONS: Readonly<Record<PlaceProblem['action'], string>> = {
  retry: 'ui.problems.retry',
  show: 'ui.problems.show',
  settings: 'ui.problems.settings',
  clear: 'ui.problems.clear',
}

/** @param go leads to a place in the program, such as `settings` */
export function actionOf(file: PlaceProblem, app: Pick<AppState, 't' | 'retryPlace' | 'showPlace' | 'clearPlace'>, go: (place: string) => unknown): ProblemAction {
  const run = {
    retry: () => app.retryPlace(file.place_id),
    show: () => app.showPlace(file.place_id),
    settings: () => go(settingPlace(file.problem.setting)),
    clear: () => app.clearPlace(file.place_id),
  }[file.action]
  return { title: app.t(PROBLEM_ACTIONS[file.action]), run }
}
