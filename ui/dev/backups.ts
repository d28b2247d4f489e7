/** The made-up server's backups: in order, none yet, or failing; one that is asked for appears in the list. */

import type { BackupRunOut, BackupsOut, RepositoryOut } from '../src/api/types.ts'
import type { Options } from './fixtures.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const ago = (ms: number): string => new Date(Date.now() - ms).toISOString()

let asked: BackupRunOut[] = []

export function resetBackups(): void {
  asked = []
}

const run = (id: number, began: number, over: Partial<BackupRunOut> = {}): BackupRunOut => ({
  id,
  kind: 'database',
  repository: 'local',
  began_at: ago(began),
  ended_at: ago(began - MINUTE),
  code: '',
  size: 1_840_000_000,
  stored: 31_400_000,
  rows: 0,
  seconds: 0,
  ...over,
})
const drill = (id: number, began: number, over: Partial<BackupRunOut> = {}): BackupRunOut => run(id, began, { kind: 'drill', size: 0, stored: 0, rows: 1_204_331, seconds: 74.2, ...over })

const repository = (name: string, over: Partial<RepositoryOut> = {}): RepositoryOut => ({
  name,
  reachable: true,
  backups: 0,
  stored: 0,
  last: null,
  failed: null,
  files: null,
  drill: null,
  age_s: null,
  ...over,
})

const good = (name: string): RepositoryOut => {
  const last = run(11, DAY / 3, { repository: name })
  return repository(name, { backups: 27, stored: 9_300_000_000, last, files: run(12, DAY / 3, { kind: 'files', repository: name }), drill: drill(9, 3 * DAY, { repository: name }), age_s: DAY / 3_000 })
}

function found(scene: string): Pick<BackupsOut, 'repositories' | 'runs'> {
  const now = asked.some((each) => each.kind === 'database') ? { backups: 28, last: run(20, MINUTE) } : {}
  const tried = asked.find((each) => each.kind === 'drill')
  switch (scene) {
    case 'team_empty':
      return { repositories: [repository('local')], runs: [] }
    case 'team_alone': {
      const failed = run(14, DAY / 3, { repository: 'offsite', code: 'backup.unreachable', size: 0, stored: 0 })
      const offsite = repository('offsite', { reachable: false, backups: 3, last: run(5, 9 * DAY, { repository: 'offsite' }), failed, drill: drill(4, 8 * DAY, { repository: 'offsite', code: 'backup.drill_differs', rows: 0 }) })
      return { repositories: [good('local'), offsite], runs: [failed, run(13, DAY / 3)] }
    }
    default:
      return {
        repositories: [{ ...good('local'), ...now, ...(tried && { drill: tried }) }, good('offsite')],
        runs: [...asked, run(13, DAY / 3, { kind: 'files', repository: 'offsite', size: 212_000_000, stored: 1_100_000 }), run(11, DAY / 3), drill(9, 3 * DAY)],
      }
  }
}

/** What is answered; null to a path that isn't known. */
export function backupAnswer(method: string, path: string, { scene }: Options): BackupsOut | BackupRunOut | { runs: BackupRunOut[]; problems: [] } | null {
  if (path === '/api/backups' && method === 'GET') {
    const calm = scene !== 'team_alone'
    return {
      problem: null,
      ...found(scene),
      running: false,
      next_at: ago(-DAY / 2),
      next_drill_at: scene === 'team_empty' ? null : ago(-4 * DAY),
      log_at: scene === 'team_empty' ? null : ago(calm ? 40_000 : DAY / 4),
      log_failing: !calm,
      log_waiting: calm ? 0 : 17,
      gap: !calm,
    }
  }
  if (path === '/api/backups') {
    asked = [run(20, MINUTE), ...asked]
    return { runs: asked, problems: [] }
  }
  if (path === '/api/backups/drill') {
    const made = drill(21, 2 * MINUTE)
    asked = [made, ...asked]
    return made
  }
  return null
}
