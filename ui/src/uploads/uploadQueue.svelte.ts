/** The files that are sent to a team's server: a few at a time, on through broken connections, until each is there. */

import { ApiError, Unreachable } from '../api/client'
import type { Problem, UploadOut, UploadsOut } from '../api/types'
import { UploadApi, type Sent } from '../api/uploadApi'
import { app, client, type AppState } from '../lib/appState.svelte'
import { UPLOAD_LIBRARY } from '../lib/memberStorage'

export const PART = 8_000_000
const AT_ONCE = 3
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 30_000
/** The rate is that of the last seconds. */
const RATE_MS = 15_000
/** Answers that pass: the server is starting, ending, or behind a proxy that lost it. */
const PASSING: readonly number[] = [502, 503, 504]
/** Of the server's answers that send back to the start. */
const MOST_TURNS = 5
const NEVER = new AbortController().signal

export type UploadState = 'waiting' | 'sending' | 'retrying' | 'stored' | 'duplicate' | 'failed'

export class Item {
  state = $state<UploadState>('waiting')
  sent = $state(0)
  /** why it failed */
  problem = $state.raw<Problem | null>(null)
  place: string | null = null
  readonly stop = new AbortController()

  constructor(
    readonly id: number,
    readonly file: File,
  ) {}

  readonly ended = $derived(this.state === 'stored' || this.state === 'duplicate' || this.state === 'failed')
}

export interface Clock {
  now(): number
  /** resolves after so long, or once the network is back or the signal aborts */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

export class UploadQueue {
  items = $state.raw<readonly Item[]>([])
  paused = $state(false)
  /** what the server takes; null until it was asked */
  taken = $state.raw<UploadsOut | null>(null)
  /** of several libraries, the one that the files go to */
  library = $state<number | null>(null)
  /** bytes per second; null until it is known */
  rate = $state<number | null>(null)

  readonly active = $derived(this.items.some(({ ended }) => !ended))
  readonly ended = $derived(this.items.filter((item) => item.ended).length)
  readonly total = $derived(this.items.reduce((sum, { file }) => sum + file.size, 0))
  readonly sent = $derived(this.items.reduce((sum, item) => sum + (item.ended ? item.file.size : item.sent), 0))
  /** null while it can't be known, as without a connection */
  readonly secondsLeft = $derived(!this.rate || !this.items.some(({ state }) => state === 'sending') ? null : (this.total - this.sent) / this.rate)
  /** It must be chosen first. */
  readonly undecided = $derived((this.taken?.libraries.length ?? 0) > 1 && this.library === null)

  private count = 0
  private running = 0
  private pause = new AbortController()
  private marks: readonly (readonly [at: number, bytes: number])[] = []
  private moved = 0
  /** unfinished ones from before, to go on with */
  private begun: UploadOut[] = []
  /** The answer to a beginning was lost: the server may know an upload that this page doesn't. */
  private lost = false

  constructor(
    private readonly api: Pick<UploadApi, 'unfinished' | 'begin' | 'offset' | 'part' | 'remove'>,
    private readonly app: Pick<AppState, 'act' | 'refuse' | 't'>,
    private readonly clock: Clock = CLOCK,
  ) {}

  /** Files that are under way already are not added again. */
  add = async (files: Iterable<File>): Promise<void> => {
    const known = new Set(this.items.filter(({ ended }) => !ended).map(({ file }) => keyOf(file)))
    const fresh = [...files].filter((file) => !known.has(keyOf(file)))
    const added = fresh.map((file) => new Item(++this.count, file))
    this.items = [...this.items, ...added]
    if (added.length > 0) await this.learn(added)
    this.go()
  }

  /** Asks what the server takes, until it answers. */
  private async learn(added: readonly Item[]): Promise<void> {
    for (;;) {
      try {
        return await this.ask()
      } catch (error) {
        if (whatNext(error) !== 'later') return added.forEach((item) => this.fail(item, error))
        await this.clock.wait(FIRST_WAIT_MS, NEVER)
      }
    }
  }

  choose = (library: number): void => {
    this.library = library
    localStorage.setItem(UPLOAD_LIBRARY, String(library))
    this.go()
  }

  togglePause = (): void => {
    this.paused = !this.paused
    if (this.paused) this.pause.abort()
    else this.pause = new AbortController()
    this.marks = []
    this.rate = null
    this.go()
  }

  retry = (item: Item): void => {
    if (item.state !== 'failed') return
    item.problem = null
    item.state = 'waiting'
    this.go()
  }

  retryAll = (): void => this.items.forEach(this.retry)

  /** Stops it, and removes what has arrived of it. */
  remove = async (item: Item): Promise<void> => {
    this.items = this.items.filter((other) => other !== item)
    item.stop.abort()
    const { place } = item
    if (place !== null && !item.ended) await this.app.act(() => this.api.remove(place).catch(ignoreGone))
  }

  /** Leaves only what is not there yet. */
  tidy = (): void => void (this.items = this.items.filter(({ state }) => state !== 'stored' && state !== 'duplicate'))
  clear = (): void => void (this.items = this.items.filter(({ ended }) => !ended))

  private async ask(): Promise<void> {
    this.taken = await this.api.unfinished()
    const known = new Set(this.items.map(({ place }) => place))
    this.begun = this.taken.items.filter(({ id }) => !known.has(placeOf(id)))
    this.lost = false
    const kept = Number(localStorage.getItem(UPLOAD_LIBRARY))
    if (this.library === null && this.taken.libraries.some(({ id }) => id === kept)) this.library = kept
  }

  private go(): void {
    if (this.taken === null || this.undecided) return
    const { file_bytes: most } = this.taken
    while (!this.paused && this.running < AT_ONCE) {
      const waiting = this.items.filter(({ state }) => state === 'waiting')
      // What the server will refuse comes first, or it counts in the time left until then.
      const next = waiting.find(({ file }) => file.size > most) ?? waiting[0]
      if (next === undefined) return
      this.running += 1
      next.state = 'sending'
      void this.bring(next).finally(() => {
        this.running -= 1
        this.go()
      })
    }
  }

  /** Sends a file until it is there, it can't be, or the user pauses. */
  private async bring(item: Item): Promise<void> {
    const signal = AbortSignal.any([item.stop.signal, this.pause.signal])
    let wait = FIRST_WAIT_MS
    let turns = 0
    while (!signal.aborted) {
      const before = item.sent
      try {
        item.state = await this.send(item, signal)
        return
      } catch (error) {
        if (signal.aborted) break
        // A member’s unfinished uploads take half of the room at most: it fits once another one is there.
        const next = error instanceof ApiError && error.problem.code === 'upload.share' && this.running > 1 ? 'later' : whatNext(error)
        // Removed on the server meanwhile: it begins anew.
        if (error instanceof ApiError && error.status === 404) item.place = null
        if (next === 'fail' || (next === 'again' && ++turns > MOST_TURNS)) return this.fail(item, error)
        if (next === 'again') continue
        if (item.sent > before) wait = FIRST_WAIT_MS
        item.state = 'retrying'
        await this.clock.wait(wait, signal)
        wait = Math.min(wait * 2, LONGEST_WAIT_MS)
        if (!signal.aborted) item.state = 'sending'
      }
    }
    item.state = 'waiting'
  }

  private async send(item: Item, signal: AbortSignal): Promise<'stored' | 'duplicate'> {
    await item.file.slice(0, 1).arrayBuffer() // fails if the file is gone, which the network's error would not tell
    item.place ??= await this.begin(item.file)
    let sent: Sent = await this.api.offset(item.place)
    item.sent = sent.offset
    while (sent.outcome === null) {
      const { offset } = sent
      const part = item.file.slice(offset, offset + PART)
      sent = await this.api.part(item.place, part, offset, (bytes) => this.noted(item, offset + bytes), signal)
      this.noted(item, sent.offset)
    }
    return sent.outcome
  }

  private async begin(file: File): Promise<string> {
    if (this.lost) await this.ask()
    const before = this.placeOf(file)
    if (before !== null) return before
    try {
      return await this.api.begin(file, this.library)
    } catch (error) {
      this.lost ||= whatNext(error) === 'later'
      throw error
    }
  }

  private fail(item: Item, error: unknown): void {
    if (error instanceof ApiError && error.status === 401) this.app.refuse(error)
    item.problem = error instanceof ApiError ? error.problem : { code: 'upload.unreadable', cause: this.app.t('team_page.upload.unreadable'), remedy: this.app.t('team_page.upload.unreadable_text'), params: {} }
    item.state = 'failed'
  }

  private noted(item: Item, sent: number): void {
    this.moved += Math.max(0, sent - item.sent)
    item.sent = sent
    const now = this.clock.now()
    this.marks = [...this.marks.filter(([at]) => at > now - RATE_MS), [now, this.moved]]
    const [first] = this.marks
    if (first !== undefined && now - first[0] >= 1_000) this.rate = ((this.moved - first[1]) * 1_000) / (now - first[0])
  }

  /** Where the same file was begun before this page was opened. */
  private placeOf(file: File): string | null {
    const index = this.begun.findIndex(({ name, size, modified_ms }) => size === file.size && modified_ms === file.lastModified && sameName(name, file.name))
    const [found] = index < 0 ? [] : this.begun.splice(index, 1)
    return found ? placeOf(found.id) : null
  }
}

const CLOCK: Clock = {
  now: () => Date.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        removeEventListener('online', done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      addEventListener('online', done)
      signal.addEventListener('abort', done)
    }),
}

/** What follows from an error: another try after a while, or at once where the server says; or none. */
function whatNext(error: unknown): 'later' | 'again' | 'fail' {
  if (error instanceof Unreachable) return 'later'
  if (!(error instanceof ApiError)) return 'fail'
  if (PASSING.includes(error.status)) return 'later'
  return error.status === 404 || error.status === 409 ? 'again' : 'fail'
}

function placeOf(id: string): string {
  return `/api/uploads/${id}`
}

function keyOf({ name, size, lastModified }: File): string {
  return `${size} ${lastModified} ${name}`
}

/** The server may have made the name safe: then size and time have to do. */
function sameName(safe: string, given: string): boolean {
  return safe === given.normalize('NFC') || !/^[\w. -]+$/.test(given)
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 404) throw error
}

/** The files of a drop, also those in dropped folders. */
export async function filesOf(data: DataTransfer): Promise<readonly File[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.() ?? null)
  if (!entries.some((entry) => entry?.isDirectory)) return [...data.files]
  return (await Promise.all(entries.map((entry) => (entry === null ? [] : filesIn(entry))))).flat()
}

async function filesIn(entry: FileSystemEntry): Promise<readonly File[]> {
  if (entry.isFile) return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))]
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: File[] = []
  for (;;) {
    // It gives a hundred at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return found.filter(({ name }) => !name.startsWith('.'))
    found.push(...(await Promise.all(some.map(filesIn))).flat())
  }
}

export const uploads = new UploadQueue(new UploadApi(client), app)
