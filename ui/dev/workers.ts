/** The made-up team's workers, what waits for them, and the desktops that joined. */

import type { DeskOut, Problem, WorkerOut } from '../src/api/types.ts'
import type { Options } from './fixtures.ts'
import { ago, DAY, databaseAway, is, OK, type Reply } from './replies.ts'

let drained: string[] = []

export function resetWorkers(): void {
  drained = []
}

const DESKS: readonly DeskOut[] = [
  { id: 'd1', computer: 'studio-mac', member: 'Mei', joined: true, photos: 1_204, results: 310 },
  { id: 'd2', computer: 'thinkpad-7', member: 'Noor', joined: false, photos: 0, results: 88 },
]

const worker = (name: string, host: string, over: Partial<WorkerOut>): WorkerOut => ({ name, host, state: 'working', since: ago(4 * 3_600_000), done: 8_123, rate: 412, errors: 0, seen_at: ago(2_000), draining: false, problem: null, ...over })

const noFolder = (language: Options['language']): Problem => {
  const [cause, remedy] =
    language === 'en'
      ? ['This worker doesn’t find the photos: their folder, or the one that `--root` names instead, is missing on its computer, empty, or does not answer.', 'Mount it there, and say by `--root` if it is elsewhere than on the server. Its photos wait or go to other workers meanwhile, and this one tries again by itself.']
      : ['此工作进程找不到照片：照片所在的文件夹（或 `--root` 为其指定的文件夹）在其电脑上不存在、为空或没有响应。', '请在该电脑上挂载此文件夹；如果位置与服务器上不同，请用 `--root` 指定。在此期间，照片会等待或由其他工作进程处理；此工作进程会自动重试。']
  return { code: 'server.worker_folder', cause, remedy, params: {} }
}

function workers({ scene, language }: Options): WorkerOut[] {
  if (scene === 'team_empty') return []
  return [worker('server-1', 'photos', {}), worker('server-2', 'photos', { done: 7_994, errors: 3, rate: 398 }), worker('studio', 'studio-mac', { state: 'idle', done: 120, rate: 0 }), worker('cellar', 'cellar-pc', { state: 'blocked', rate: 0, done: 64, problem: noFolder(language) }), worker('attic', 'attic-pc', { state: 'gone', seen_at: ago(DAY), rate: 0 })].map(
    (each) => (drained.includes(each.name) ? { ...each, state: 'draining', draining: true } : each),
  )
}

export function workerReply(method: string, path: string, options: Options): Reply | null {
  const [, name] = /^\/api\/workers\/([^/]+)\/drain$/.exec(path) ?? []
  switch (`${method} ${name === undefined ? path : path.replace(name, '{id}')}`) {
    case 'GET /api/desks':
      return is({ items: options.scene === 'team' ? DESKS : [] })
    case 'GET /api/workers':
      return is({ items: workers(options) })
    case 'POST /api/workers/{id}/drain':
      drained.push(name ?? '')
      return OK
    case 'GET /api/queue':
      if (options.scene === 'team_broken') return databaseAway(options)
      return is({ items: options.scene === 'team_alone' ? [] : [{ priority: 0, waiting: 1, running: 2, failed: 0, oldest: ago(4_000) }, { priority: 10, waiting: 412, running: 126, failed: 0, oldest: ago(900_000) }, { priority: 20, waiting: 21_408, running: 0, failed: 7, oldest: ago(2 * DAY) }] })
  }
  return null
}
