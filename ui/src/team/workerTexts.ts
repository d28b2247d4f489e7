/** States of workers and priorities of work, in words. */

import type { SearchIndex, WorkerOut } from '../api/types'
import type { Texts } from '../lib/i18n'

export function workerState(state: WorkerOut['state'], t: Texts): string {
  switch (state) {
    case 'idle':
      return t('team_page.workers.idle')
    case 'working':
      return t('team_page.workers.working')
    case 'blocked':
      return t('team_page.workers.blocked')
    case 'draining':
      return t('team_page.workers.drains')
    case 'gone':
      return t('team_page.workers.gone')
  }
}

/** Of `agent/domain/jobs.py`: lower values go first. */
const [ASKED, NEW] = [0, 10]

export function priorityText(priority: number, t: Texts): string {
  if (priority <= ASKED) return t('team_page.queue.person')
  return t(priority <= NEW ? 'team_page.queue.new' : 'team_page.queue.archive')
}

/** How a face is looked for. */
export function searchText({ state, progress }: SearchIndex, language: string, t: Texts): string {
  switch (state) {
    case 'exact':
      return t('team_page.search.exact')
    case 'building':
      return t('team_page.search.building', { percent: new Intl.NumberFormat(language, { style: 'percent' }).format(progress ?? 0) })
    case 'index':
      return t('team_page.search.index')
  }
}
