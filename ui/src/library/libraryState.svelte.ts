/** The library's state: the photos, the selection, and the actions on it. */

import { ApiError, type Client } from '../api/client'
import { EVERYTHING, type LibraryAction, type LibraryFilter, type PackedIndex } from '../api/photoFilter'
import type { FolderOut, ImageOut, LibraryActionDone } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { nearest, NOTHING, remaining, type Selection } from '../lib/selection'
import { toasts, type Outcome, type UndoStep, type Toasts } from '../lib/toasts.svelte'
import { undoing } from '../lib/undoing'
import { PhotoDetails } from './photoDetails.svelte'
import { unpack, type Order } from './photoOrder'
import { placeOf } from './photoPlaces'

/**
 * Between two readings of the order: at least, at most, and by how long the last one took. A large library's server computes and sends
 * megabytes for each, to everyone who has the page open while photos arrive.
 */
const RESPITE_MS = 300
const MOST_RESPITE_MS = 30_000
const RESPITE_SHARE = 5
/** So many places are looked for one by one; for more it pays to have them all at hand. */
const LOOKED_FOR = 20

/** What an action makes of a photo. */
const MARKS = { hide: ['hidden', true], unhide: ['hidden', false], favourite: ['favourite', true], unfavourite: ['favourite', false] } as const
const SAID: Readonly<Record<LibraryAction, string>> = {
  hide: 'ui.library.hidden',
  unhide: 'ui.library.shown_again',
  favourite: 'ui.library.favourite_added',
  unfavourite: 'ui.library.favourite_removed',
  look_again: 'ui.library.looked_at_again',
}

const NO_PHOTO: PackedIndex = { etag: null, bytes: new ArrayBuffer(8) }

/** Whether all photos of the album are shown, or all there are. */
function isWhole(filter: LibraryFilter): boolean {
  return (Object.keys(EVERYTHING) as (keyof LibraryFilter)[]).every((part) => part === 'album' || filter[part] === EVERYTHING[part])
}

/** The photo that the grid holds on to, the distance of its row from the top of the view, and where it was scrolled to, in pixels. */
export interface Held {
  readonly id: number
  readonly offset: number
  readonly scrolled: number
}

export class LibraryState {
  order = $state.raw<Order | null>(null)
  filter = $state.raw<LibraryFilter>(EVERYTHING)
  folders = $state.raw<readonly FolderOut[]>([])
  selection = $state.raw<Selection>(NOTHING)
  readonly photos: PhotoDetails
  /** what the grid showed first when it was last seen; null: it was at its top */
  held: Held | null = null

  count = $derived(this.order?.ids.length ?? 0)
  /** by more than an album */
  filtered = $derived(!isWhole(this.filter))
  active = $derived(this.selection.active ?? this.order?.ids[0] ?? null)
  /** where the navigation shows the photos: narrowed as they were last */
  place = $derived(placeOf({ ...this.filter, album: null }))
  chosen = $derived([...this.selection.ids])

  private places: Map<number, number> | null = null
  private lookedFor = 0
  /** names the answer that the order came from */
  private etag: string | null = null
  private reading: Promise<void> | null = null
  private outdated = false
  private hurry: () => void = () => undefined

  constructor(
    private readonly client: Client,
    private readonly app: Pick<AppState, 'act' | 'read' | 't'>,
    private readonly toasts: Toasts,
    /** to a place of this page, such as `#photos` */
    private readonly go: (place: string) => void,
  ) {
    this.photos = new PhotoDetails(client, app)
  }

  /** what is known of photos */
  get details(): ReadonlyMap<number, ImageOut> {
    return this.photos.known
  }

  /** An id's place in the order; -1 if it is not in it. */
  placeOf = (id: number): number => {
    const ids = this.order?.ids ?? new Uint32Array()
    if (this.places === null && ++this.lookedFor <= LOOKED_FOR) return ids.indexOf(id)
    this.places ??= new Map(Array.from(ids, (known, place) => [known, place]))
    return this.places.get(id) ?? -1
  }

  /** Loads the list of photos again: one request at a time, and one more if it was asked for meanwhile. */
  read = (): Promise<void> => {
    this.outdated = true
    this.reading ??= this.readWhileOutdated().finally(() => (this.reading = null))
    return this.reading
  }

  private async readWhileOutdated(): Promise<void> {
    while (this.outdated) {
      this.outdated = false
      const { filter } = this
      const began = performance.now()
      await this.app.read(() => this.readOnce(filter))
      const took = performance.now() - began
      // What was asked for with the same filter is in the next reading, and can wait until the photos in view have come.
      if (this.outdated && filter === this.filter) await this.respite(Math.min(Math.max(RESPITE_MS, RESPITE_SHARE * took), MOST_RESPITE_MS))
    }
  }

  private respite(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.hurry = resolve
      setTimeout(resolve, ms)
    })
  }

  /** The same for what the user did, who waits for it. */
  private readNow(): Promise<void> {
    this.hurry()
    return this.read()
  }

  private async readOnce(filter: LibraryFilter): Promise<void> {
    const answer = await this.client.library(filter, this.etag).catch((error: unknown) => {
      // An address can name a folder that is gone, or not for this member.
      if (filter.folder !== null && error instanceof ApiError && error.status === 404) return NO_PHOTO
      throw error
    })
    if (filter !== this.filter) return
    // The same photos need no new layout.
    if (answer !== null) {
      const before = this.order?.ids ?? new Uint32Array()
      this.order = unpack(answer.bytes)
      this.etag = answer.etag
      this.places = null
      this.lookedFor = 0
      this.selection = remaining(this.selection, this.placeOf, before)
    }
    this.photos.outdate()
    // The photos don't wait for them.
    await this.takeFolders()
  }

  /** Loads how many photos each folder holds, which the sidebar shows on every page. */
  readFolders = (): Promise<void> => this.app.read(() => this.takeFolders())

  private async takeFolders(): Promise<void> {
    this.folders = await this.client.folders()
  }

  /** Goes where the photos are that match. */
  narrow(change: Partial<LibraryFilter>): Promise<void> {
    const next = { ...this.filter, ...change }
    if (next.people.length === 0) Object.assign(next, { people: EVERYTHING.people, match: EVERYTHING.match })
    this.take(isWhole(next) && next.album === null ? EVERYTHING : next)
    this.go(placeOf(this.filter))
    return this.readNow()
  }

  /** Shows what the page's address names; the first photos are read by who shows them. */
  show(filter: LibraryFilter): void {
    if (placeOf(filter) === placeOf(this.filter)) return
    this.take(filter)
    if (this.order !== null || this.reading !== null) void this.readNow()
  }

  private take(filter: LibraryFilter): void {
    this.filter = filter
    this.etag = null
    this.held = null
    this.selection = NOTHING
  }

  widen = (): Promise<void> => this.narrow({ ...EVERYTHING, album: this.filter.album })

  showFile = (id: number): Promise<boolean> => this.app.act(() => this.client.showFile(id))
  openFile = (id: number): Promise<boolean> => this.app.act(() => this.client.openFile(id))
  hide = (ids: readonly number[]): Promise<boolean> => this.change('hide', ids)
  unhide = (ids: readonly number[]): Promise<boolean> => this.change('unhide', ids)
  favourite = (ids: readonly number[]): Promise<boolean> => this.change('favourite', ids)
  unfavourite = (ids: readonly number[]): Promise<boolean> => this.change('unfavourite', ids)
  /** All of them are favourites after it, unless all were: none is then. */
  toggleFavourite = (ids: readonly number[]): Promise<boolean> =>
    ids.every((id) => this.details.get(id)?.favourite) ? this.unfavourite(ids) : this.favourite(ids)
  lookAgain = (ids: readonly number[]): Promise<boolean> => this.change('look_again', ids)

  /** False if it did not work. */
  private async change(action: LibraryAction, ids: readonly number[]): Promise<boolean> {
    if (ids.length === 0) return false
    return this.app.act(async () => {
      const { undo, count } = await this.carryOut(action, ids)
      const text = this.said(action, count)
      this.toasts.show(text, undo === null ? null : this.step(action, ids, undo, text))
      await this.readNow()
    })
  }

  /** Whether photos leave the list by it. */
  private leaves(action: LibraryAction): boolean {
    return action === 'hide' || action === 'unhide' || (action === 'unfavourite' && this.filter.favourites)
  }

  private async carryOut(action: LibraryAction, ids: readonly number[]): Promise<LibraryActionDone> {
    const done = await this.client.libraryAction(action, ids)
    this.note(action, ids)
    if (this.leaves(action)) this.leave(ids)
    return done
  }

  private step(action: LibraryAction, ids: readonly number[], undo: string, what: string): UndoStep {
    let token: string | null = undo
    return {
      what,
      undo: () => this.undo(token ?? '', action, ids),
      redo: () =>
        this.app.act(async () => {
          token = (await this.carryOut(action, ids)).undo
          await this.readNow()
        }),
    }
  }

  /** Changes what is known of photos that left the list: they are not loaded again, but may still be shown. */
  private note(action: LibraryAction, ids: readonly number[], back = false): void {
    if (action === 'look_again') return
    const [mark, set] = MARKS[action]
    this.photos.mark(ids, { [mark]: set !== back })
  }

  /** The keyboard goes on where the photos were that left. */
  private leave(ids: readonly number[]): void {
    const gone = new Set(ids)
    const order = this.order?.ids ?? new Uint32Array()
    const from = this.active === null ? 0 : this.placeOf(this.active)
    this.selection = { ...NOTHING, active: nearest(order, from, (id) => !gone.has(id)) }
  }

  private said(action: LibraryAction, count: number): string {
    return this.app.t(SAID[action], { count })
  }

  private undo(token: string, action: LibraryAction, ids: readonly number[]): Promise<Outcome> {
    return undoing(this.app, async () => {
      try {
        await this.client.libraryUndo(token)
        this.note(action, ids, true)
      } finally {
        await this.readNow()
      }
    })
  }
}

export const library = new LibraryState(client, app, toasts, (place) => (location.hash = place))
