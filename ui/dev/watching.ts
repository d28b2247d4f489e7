/** Watching the screen, as the agent does it: in the scene `watched` it is on, and a person was just seen. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Status, WatchOut } from '../src/api/types.ts'
import type { Options } from './fixtures.ts'

let state: WatchOut['state'] | null = null
let until: string | null = null
const listeners = new Set<() => void>()

export function resetWatching(): void {
  state = until = null
}

export function onWatching(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export function watchStatus({ scene }: Options): Pick<Status, 'watch' | 'watch_until' | 'watch_said'> {
  const watched = scene === 'watched'
  return { watch: watched ? (state ?? 'on') : 'off', watch_until: until, watch_said: watched ? 1 : 0 }
}

/** False for everything else. */
export function answerWatching(request: IncomingMessage, response: ServerResponse, url: URL, options: Options): boolean {
  if (!url.pathname.startsWith('/api/watch')) return false
  if (request.method === 'GET') {
    const now = watchStatus(options)
    const text = options.language === 'en' ? 'Mei is on the screen.' : 'Mei 出现在屏幕上。'
    const out: WatchOut = { state: now.watch, until, problem: null, said: [{ number: 1, at: new Date().toISOString(), kind: 'person', text, person_id: 1 }] }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(out))
    return true
  }
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
    const said = JSON.parse(Buffer.concat(parts).toString('utf8')) as { on?: boolean; minutes?: number | null }
    state = said.on === false ? 'off' : typeof said.minutes === 'number' ? 'snoozed' : 'on'
    until = typeof said.minutes === 'number' ? new Date(Date.now() + said.minutes * 60_000).toISOString() : null
    response.writeHead(204).end()
    for (const listener of listeners) listener()
  })
  return true
}
