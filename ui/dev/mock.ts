/** Answers like the agent, with made-up data; `?scene=…&lang=…&theme=…` on a page chooses what is seen there from then on. */

import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Connect, Plugin } from 'vite'

import { picture as drawn } from '../docs.ts'
import { answerCaptures, captureCounts, onCaptures, resetCaptures } from './captures.ts'
import { answerCovers, resetCovers } from './covers.ts'
import { answerDesks, resetDesks } from './desks.ts'
import { resetEdits } from './edits.ts'
import { picture, world, type Options, type World } from './fixtures.ts'
import { checks, onUpdate, report, resetUpdate, update, updateStatus } from './health.ts'
import { answerLibrary, imagesOf, newestOf, resetLibrary } from './library.ts'
import { answerLibraries, resetLibraries } from './libraries.ts'
import { answerPeople, doubtCount, onPeople, peopleOf, saidOf, searched } from './people.ts'
import { placesPage } from './places.ts'
import { answerSettings, applied, appliedStatus, onSettings, resetSettings } from './settings.ts'
import { answerTeam, resetTeam } from './team.ts'
import { answerWatching, onWatching, resetWatching, watchStatus } from './watching.ts'

const COOKIE = 'mock'
/** The visit that the page opened last names in its address, as `&visit=…`; null if it names none. */
let visit: string | null = null

/** Whether a page sent it that has been left for another since: it would begin that one's scene, or change what it shows. */
function isLate({ headers: { referer } }: IncomingMessage): boolean {
  const its = referer === undefined ? null : new URL(referer).searchParams.get('visit')
  return its !== null && its !== visit
}

function options(request: IncomingMessage): Options {
  const chosen = new URLSearchParams(/(?:^|; )mock=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]?.replaceAll('+', '&') ?? '')
  return {
    scene: chosen.get('scene') ?? 'family',
    language: chosen.get('lang') === 'zh-CN' ? 'zh-CN' : 'en',
    theme: chosen.get('theme') === 'dark' ? 'dark' : chosen.get('theme') === 'light' ? 'light' : 'auto',
  }
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body))
}

/** What the agent would answer, by the scene and by what was changed since. */
function worldNow(chosen: Options): World {
  const options = applied(chosen)
  const now = appliedStatus(world(options))
  const people = peopleOf(now, options)
  const images = now.images.map((image) => saidOf(image, people))
  return { ...now, images, status: { ...now.status, doubts: doubtCount(now, options), ...captureCounts(now, options), ...watchStatus(chosen), ...updateStatus(options) } }
}

function stream(response: ServerResponse, chosen: Options): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  let rate = 21
  const send = (): void => {
    rate = Math.min(30, Math.max(12, rate + Math.random() * 5 - 2.5))
    const { status } = worldNow(chosen)
    const burst = status.burst && { ...status.burst, rate }
    response.write(`event: status\ndata: ${JSON.stringify({ ...status, burst })}\n\n`)
  }
  send()
  const unwatch = onSettings((purged) => {
    send()
    if (purged) response.write(`event: happened\ndata: ${JSON.stringify({ kind: 'recognition_purged', embeddings: 87, chips: 240 })}\n\n`)
  })
  const unwatchPeople = onPeople(() => {
    send()
    response.write(`event: happened\ndata: ${JSON.stringify({ kind: 'people_changed' })}\n\n`)
  })
  const unwatchCaptures = onCaptures(send)
  const unwatchWatching = onWatching(send)
  const unwatchUpdate = onUpdate(send)
  const timer = worldNow(chosen).status.burst ? setInterval(send, 60) : undefined
  response.on('close', () => {
    clearInterval(timer)
    unwatch()
    unwatchPeople()
    unwatchCaptures()
    unwatchWatching()
    unwatchUpdate()
  })
}

function answer(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const url = new URL(request.url ?? '/', 'http://mock')
  if (!url.pathname.startsWith('/api/')) {
    if (url.search) resetSettings()
    if (url.search) resetLibrary()
    if (url.search) resetEdits()
    if (url.search) resetCovers()
    if (url.search) resetCaptures()
    if (url.search) resetWatching()
    if (url.search) resetUpdate()
    if (url.search) resetTeam()
    if (url.search) resetLibraries()
    if (url.search) resetDesks()
    if (url.search) visit = url.searchParams.get('visit')
    if (url.search) response.setHeader('set-cookie', `${COOKIE}=${url.search.slice(1).replaceAll('&', '+')}; path=/`)
    return next()
  }
  if (isLate(request)) return void request.destroy()
  const chosen = applied(options(request))
  if (chosen.scene === 'offline') return void request.destroy()
  if (chosen.scene === 'unauthorised') return json(response, { code: 'api.unauthorised', cause: 'Not signed in.', remedy: 'Run ai-popup open.' }, 401)
  if (chosen.scene === 'loading') return
  if (answerTeam(request, response, url, chosen)) return
  if (answerLibraries(request, response, url, chosen)) return
  if (answerDesks(request, response, url, chosen)) return
  const all = worldNow(chosen)
  const id = Number(/^\/api\/images\/(\d+)/.exec(url.pathname)?.[1])
  const image = Number.isNaN(id) ? undefined : imagesOf(all, chosen).find(id)
  if (url.pathname === '/api/search/face') {
    request.resume().on('end', () => json(response, ...searched(all, chosen)))
    return
  }
  const shown = /^\/api\/help\/pictures\/([a-z-]+\.(?:png|webp))$/.exec(url.pathname)?.[1]
  if (shown !== undefined) return void response.writeHead(200, { 'content-type': `image/${shown.split('.')[1]}` }).end(readFileSync(drawn(shown)))
  if (answerSettings(request, response, url, all, chosen)) return
  if (answerWatching(request, response, url, chosen)) return
  if (answerPeople(request, response, url, all, chosen)) return
  if (answerCaptures(request, response, url, all, chosen)) return
  if (answerCovers(request, response, url, all, chosen)) return
  if (answerLibrary(request, response, url, all, chosen)) return
  if (url.pathname === '/api/doctor') return json(response, checks(chosen))
  if (url.pathname.startsWith('/api/update')) return json(response, update(chosen, request.method))
  if (url.pathname === '/api/health-report') return json(response, report(chosen))
  if (image && url.pathname.endsWith('/copy-covered')) return json(response, { covered: image.faces.length, doubtful: false })
  if (request.method === 'POST') return void response.writeHead(204).end()
  if (url.pathname === '/api/events') return stream(response, options(request))
  if (url.pathname === '/api/status') return json(response, all.status)
  if (url.pathname === '/api/problems') return json(response, placesPage(all, 'problems', url.searchParams))
  if (url.pathname === '/api/online-only') return json(response, placesPage(all, 'online-only', url.searchParams))
  if (url.pathname === '/api/drafts') return json(response, [])
  if (url.pathname === '/api/images') return json(response, { items: newestOf(all), next: null })
  if (image && /\/(preview|thumbnail)$/.test(url.pathname)) {
    response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(picture(image))
    return
  }
  if (image) return json(response, image)
  json(response, { code: 'api.not_found', cause: 'There is no such thing.', remedy: '' }, 404)
}

/** For `vite` and for `vite preview`, which serves the real bundle under the agent's content policy. */
export function mock(): Plugin {
  const policy: Connect.NextHandleFunction = (_, response, next) => {
    response.setHeader(
      'content-security-policy',
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'",
    )
    next()
  }
  return {
    name: 'mock-agent',
    configureServer: (server) => void server.middlewares.use(answer),
    configurePreviewServer: (server) => void server.middlewares.use(policy).use(answer),
  }
}
