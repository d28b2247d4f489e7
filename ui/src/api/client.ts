/** Calls of the agent's HTTP API: same origin, signed in by the cookie. */

import type { ImagePage, NameFace, PersonOut, PlaceProblem, Problem, Status } from './types'

/** An answer of the API that says what went wrong and what to do. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(problem.code)
  }
}

/** The agent did not answer at all: it has ended, or is just starting. */
export class Unreachable extends Error {}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'cause' in value && 'remedy' in value
}

const TIME_LIMIT_MS = 15_000

export class Client {
  /** @param fetcher stands in for the browser's `fetch` in tests */
  constructor(private readonly fetcher: typeof fetch = (input, init) => fetch(input, init)) {}

  status = (): Promise<Status> => this.get('/api/status')
  images = (limit: number, before: number | null = null): Promise<ImagePage> =>
    this.get(`/api/images?limit=${limit}${before === null ? '' : `&before=${before}`}`)
  problems = (): Promise<readonly PlaceProblem[]> => this.get('/api/problems')
  people = (): Promise<readonly PersonOut[]> => this.get('/api/people')
  nameFace = (body: NameFace): Promise<void> => this.post('/api/people', body)
  retry = (): Promise<void> => this.post('/api/problems/retry')
  pause = (): Promise<void> => this.post('/api/pause')
  resume = (): Promise<void> => this.post('/api/resume')
  hidePopup = (): Promise<void> => this.post('/api/popup/hide')
  /** Opens the browser signed in: the popup's own cookie is not the browser's. */
  open = (): Promise<void> => this.post('/api/open')

  private async get<T>(path: string): Promise<T> {
    return (await (await this.send(path, { method: 'GET' })).json()) as T
  }

  private async post(path: string, body?: unknown): Promise<void> {
    const json: RequestInit = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    await this.send(path, { method: 'POST', ...json })
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    let response: Response
    try {
      response = await this.fetcher(path, { ...init, credentials: 'same-origin', signal: AbortSignal.timeout(TIME_LIMIT_MS) })
    } catch (error) {
      throw new Unreachable(path, { cause: error })
    }
    if (response.ok) return response
    const body: unknown = await response.json().catch(() => null)
    throw new ApiError(response.status, isProblem(body) ? body : { code: `http.${response.status}`, cause: response.statusText, remedy: '' })
  }
}

/** Address of an image's picture whose longer side is at most `side` pixels. */
export function previewUrl(imageId: number, side: number): string {
  return `/api/images/${imageId}/preview?side=${side}`
}

/** Sides of the two pictures in use: a tile of the grid, and the photo itself with the faces cut from it. */
export const TILE_SIDE = 480
export const PHOTO_SIDE = 1280
