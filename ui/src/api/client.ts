/** The client of the agent's HTTP API: same origin, signed with the session's key. */

import { session } from './pageSession'
import { filterQuery, type ActionDone, type LibraryAction, type LibraryFilter, type PackedIndex } from './photoFilter'
import { takeEarly } from './prefetch'
import type { AccountOut, Draft, FindingOut, FolderOut, HealthReport, ImageOut, ImagePage, PersonOut, PhotoCopiedOut, PlaceProblem, PlaceProblems, Problem, LibraryRestoreOut, Status, SubfolderOut, UpdateOut } from './types'

interface Page {
  readonly limit: number
  readonly offset?: number
  /** a watched folder's path: only what lies below it */
  readonly folder?: string | null
}

/** An answer of the API that says what went wrong and what to do. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    /** what the agent speaks, where the page is not signed in and can't ask */
    readonly language: string | null = null,
  ) {
    super(problem.code)
  }
}

/** The code by which a team's server asks for a name and a password. */
export const SIGN_IN = 'account.sign_in_required'

/** The agent did not answer at all: it has ended, or is just starting. */
export class Unreachable extends Error {}

/** What is read of an answer, which is none if it breaks off: the agent has ended meanwhile. */
async function whole<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    throw new Unreachable(path, { cause: error })
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'cause' in value && 'remedy' in value
}

const TIME_LIMIT_MS = 15_000
const UPLOAD_LIMIT_MS = 120_000
/** For what the agent itself gives up after two minutes. */
const SLOW_LIMIT_MS = 150_000
/** The user may take a while in the system's dialog. */
const DIALOG_LIMIT_MS = 600_000

export class Client {
  /** @param fetcher stands in for the browser's `fetch` in tests */
  constructor(private readonly fetcher: (path: string, init: RequestInit) => Promise<Response> = (path, init) => takeEarly(path) ?? session.ask(path, init)) {}

  status = (): Promise<Status> => this.get('/api/status')
  /** Who uses this page. */
  account = (): Promise<AccountOut> => this.get('/api/account')
  images = (limit: number, before: number | null = null): Promise<ImagePage> =>
    this.get(`/api/images?limit=${limit}${before === null ? '' : `&before=${before}`}`)
  /** Null if it is still the answer of this `etag`. */
  library = async (filter: LibraryFilter, etag: string | null): Promise<PackedIndex | null> => {
    const response = await this.send(`/api/library${filterQuery(filter)}`, etag === null ? {} : { headers: { 'if-none-match': etag } })
    return response.status === 304 ? null : { etag: response.headers.get('etag'), bytes: await whole(response.url, response.arrayBuffer()) }
  }
  /** @param ids at most 200 */
  byId = async (ids: readonly number[]): Promise<readonly ImageOut[]> =>
    (await this.get<{ items: readonly ImageOut[] }>(`/api/images/by-id?ids=${ids.join(',')}`)).items
  folders = (): Promise<readonly FolderOut[]> => this.get('/api/folders')
  foldersInside = (path: string): Promise<readonly SubfolderOut[]> => this.get(`/api/folders/inside?path=${encodeURIComponent(path)}`)
  /** Selects the file in the system's file manager. */
  showFile = (imageId: number): Promise<void> => this.post(`/api/images/${imageId}/show`)
  /** Onto the clipboard; a large photo takes a while. */
  copyCovered = (imageId: number): Promise<PhotoCopiedOut> => this.request('POST', `/api/images/${imageId}/copy-covered`, undefined, SLOW_LIMIT_MS)
  openFile = (imageId: number): Promise<void> => this.post(`/api/images/${imageId}/open`)
  libraryAction = (action: LibraryAction, ids: readonly number[]): Promise<ActionDone> => this.ask('/api/library/actions', { action, ids })
  libraryUndo = (undo: string): Promise<void> => this.post('/api/library/undo', { undo })
  /** Files with problems, or those whose content lies in a cloud; newest first. */
  places = (kind: 'problems' | 'online-only', { limit, offset = 0, folder = null }: Page): Promise<PlaceProblems> =>
    this.get(`/api/${kind}?limit=${limit}&offset=${offset}${folder === null ? '' : `&folder=${encodeURIComponent(folder)}`}`)
  /** One of them; null if it is none any more. */
  place = (placeId: number): Promise<PlaceProblem | null> => this.get<PlaceProblem>(`/api/problems/${placeId}`).catch(() => null)
  /** At all files whose content lies in a cloud: the system downloads them. */
  lookAtOnlineOnly = (): Promise<void> => this.post('/api/online-only/look')
  people = (): Promise<readonly PersonOut[]> => this.get('/api/people')
  drafts = (): Promise<readonly Draft[]> => this.get('/api/drafts')
  keepDraft = (face_id: number, name: string): Promise<void> => this.post('/api/drafts', { face_id, name })
  retry = (): Promise<void> => this.post('/api/problems/retry')
  retryPlace = (placeId: number): Promise<void> => this.post(`/api/problems/${placeId}/retry`)
  /** Selects a file that could not be analysed in the system's file manager. */
  showPlace = (placeId: number): Promise<void> => this.post(`/api/problems/${placeId}/show`)
  clearProblems = (): Promise<void> => this.post('/api/problems/clear')
  clearPlace = (placeId: number): Promise<void> => this.post(`/api/problems/${placeId}/clear`)
  rescan = (): Promise<void> => this.post('/api/rescan')
  health = (): Promise<HealthReport> => this.get('/api/health-report')
  /** Takes some seconds, on a slow disk a minute: the engine is started. */
  doctor = (): Promise<readonly FindingOut[]> => this.ask('/api/doctor', undefined, SLOW_LIMIT_MS)
  /** The backup that can replace a damaged library: both are read completely. */
  restore = async (): Promise<LibraryRestoreOut> => this.request('GET', '/api/library/restore', undefined, SLOW_LIMIT_MS)
  /** Closes the library and restores that backup. */
  beginRestore = (name: string): Promise<void> => this.request('POST', '/api/library/restore', { name }, SLOW_LIMIT_MS)
  update = (): Promise<UpdateOut> => this.get('/api/update')
  /** Takes as long as the network does. */
  checkUpdate = (): Promise<UpdateOut> => this.ask('/api/update/check', undefined, SLOW_LIMIT_MS)
  /** Dismisses the message that an installation was rolled back. */
  putAwayUpdate = (): Promise<void> => this.request('DELETE', '/api/update/outcome')
  /** The program ends and goes on as the new version. */
  installUpdate = (): Promise<void> => this.post('/api/update/install')
  pause = (): Promise<void> => this.post('/api/pause')
  resume = (): Promise<void> => this.post('/api/resume')
  /** The path from the system's own dialog; null if it was cancelled. */
  chooseFolder = async (): Promise<string | null> => (await this.ask<{ path: string | null }>('/api/folders/choose', undefined, DIALOG_LIMIT_MS)).path
  /** Opens the settings file in the user's editor. */
  openSettingsFile = (): Promise<void> => this.post('/api/settings/file/open')
  hidePopup = (): Promise<void> => this.post('/api/popup/hide')
  /** Opens the browser signed in: the popup's own session is not the browser's. */
  open = (place: string): Promise<void> => this.post('/api/open', { at: place })

  /** Any call; what comes back without a body is undefined. */
  async request<T>(method: string, path: string, body?: unknown, limitMs = TIME_LIMIT_MS): Promise<T> {
    const text = await whole(path, (await this.send(path, { method, ...json(body) }, limitMs)).text())
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  /** Sends a file, and waits longer: it is analysed before the answer comes. */
  async upload<T>(path: string, file: Blob): Promise<T> {
    const headers = { 'content-type': file.type || 'application/octet-stream' }
    return (await whole(path, (await this.send(path, { method: 'POST', body: file, headers }, UPLOAD_LIMIT_MS)).json())) as T
  }

  /** The lines of an answer that goes on for a while, each as it comes; aborting the signal ends it. */
  async *lines<T>(path: string, body: unknown, signal: AbortSignal): AsyncGenerator<T> {
    const { body: stream } = await this.send(path, { ...withBody(body), signal })
    if (stream === null) return
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    try {
      for (;;) {
        const { done, value } = await reader.read()
        const lines = (rest + (value ?? '')).split('\n')
        rest = done ? '' : (lines.pop() ?? '')
        for (const line of lines) if (line !== '') yield JSON.parse(line) as T
        if (done) return
      }
    } catch (error) {
      throw signal.aborted ? error : new Unreachable(path, { cause: error })
    } finally {
      await reader.cancel().catch(() => undefined)
    }
  }

  private async get<T>(path: string): Promise<T> {
    return (await whole(path, (await this.send(path, { method: 'GET' })).json())) as T
  }

  private async post(path: string, body?: unknown): Promise<void> {
    await this.send(path, withBody(body))
  }

  private async ask<T>(path: string, body?: unknown, limitMs = TIME_LIMIT_MS): Promise<T> {
    return (await whole(path, (await this.send(path, withBody(body), limitMs)).json())) as T
  }

  /** The answer itself. */
  async send(path: string, init: RequestInit, limitMs = TIME_LIMIT_MS): Promise<Response> {
    let response: Response
    try {
      response = await this.fetcher(path, { ...init, signal: init.signal ?? AbortSignal.timeout(limitMs) })
    } catch (error) {
      throw new Unreachable(path, { cause: error })
    }
    if (response.ok || response.status === 304) return response
    const body: unknown = await response.json().catch(() => null)
    const problem = isProblem(body) ? body : { code: `http.${response.status}`, cause: response.statusText, remedy: '', params: {} }
    throw new ApiError(response.status, problem, response.headers.get('content-language'))
  }
}

function withBody(body: unknown): RequestInit {
  return { method: 'POST', ...json(body) }
}

function json(body: unknown): RequestInit {
  return body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

/** Address of an image's small picture, kept by the agent so that it comes at once. */
export function thumbnailUrl(imageId: number): string {
  return session.address(`/api/images/${imageId}/thumbnail`)
}

/** Address of an image's own file. */
export function originalUrl(imageId: number): string {
  return session.address(`/api/images/${imageId}/original`)
}

/** Address of an image's picture whose longer side is at most `side` pixels. */
export function previewUrl(imageId: number, side: number): string {
  return session.address(`/api/images/${imageId}/preview?side=${side}`)
}

/** Sides of the two pictures in use: a tile of the grid, and the photo itself with the faces cut from it. */
export const TILE_SIDE = 480
export const PHOTO_SIDE = 1280
