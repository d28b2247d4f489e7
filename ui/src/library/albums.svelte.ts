/** The albums, and the changes to them; each can be undone from its message. */

import { AlbumApi } from '../api/albumApi'
import type { Client } from '../api/client'
import type { AlbumDone, AlbumMake, AlbumOut } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { toasts, type Outcome, type Toasts } from '../lib/toasts.svelte'
import { undoing } from '../lib/undoing'
import { library, type LibraryState } from './libraryState.svelte'
import { placeBefore, type Move } from './albumOrder'

export class Albums {
  /** null until they are loaded */
  list = $state.raw<readonly AlbumOut[] | null>(null)
  readonly byHand = $derived((this.list ?? []).filter(({ match }) => match === null))
  /** said to those who hear the page */
  moved = $state('')

  constructor(
    private readonly api: Pick<AlbumApi, 'albums' | 'make' | 'change' | 'remove' | 'add' | 'takeOut' | 'move'>,
    private readonly client: Pick<Client, 'libraryUndo'>,
    private readonly app: Pick<AppState, 'act' | 'read' | 't' | 'account'>,
    private readonly toasts: Pick<Toasts, 'show' | 'note'>,
    private readonly library: Pick<LibraryState, 'filter' | 'filtered' | 'order' | 'placeOf' | 'read'>,
  ) {}

  /** the one whose photos are shown */
  get shown(): AlbumOut | null {
    return (this.list ?? []).find(({ id }) => id === this.library.filter.album) ?? null
  }

  /** Whether its photos can be put in another order. */
  get sortable(): boolean {
    return this.shown?.match === null && !this.library.filtered && this.app.account.can('photos.write')
  }

  read = (): Promise<void> =>
    this.app.read(async () => {
      this.list = await this.api.albums()
    })

  /** Into the album, or into a new one of that name. */
  add = (to: AlbumOut | string, ids: readonly number[]): Promise<boolean> => {
    const name = typeof to === 'string' ? to : to.name
    const call = (): Promise<AlbumDone> => (typeof to === 'string' ? this.api.make({ name, images: ids }) : this.api.add(to.id, ids))
    return this.change(call, ({ undo, count }) => this.app.t(undo === null ? 'album_page.there' : 'album_page.added', { count, name }))
  }

  /** The new album's id; null if it was refused. */
  make = async (wanted: Partial<AlbumMake> & Pick<AlbumMake, 'name'>): Promise<number | null> => {
    const made: number[] = []
    await this.change(async () => {
      const done = await this.api.make(wanted)
      made.push(done.id)
      return done
    }, () => this.app.t('album_page.made', { name: wanted.name }))
    return made[0] ?? null
  }

  takeOut = ({ id, name }: AlbumOut, ids: readonly number[]): Promise<boolean> =>
    this.change(() => this.api.takeOut(id, ids), ({ count }) => this.app.t('album_page.taken_out', { count, name }))
  rename = ({ id }: AlbumOut, name: string): Promise<boolean> => this.change(() => this.api.change(id, { name }), () => this.app.t('album_page.renamed', { name }))
  cover = ({ id, name }: AlbumOut, cover: number): Promise<boolean> => this.change(() => this.api.change(id, { cover }), () => this.app.t('album_page.covered', { name }))
  remove = ({ id, name }: AlbumOut): Promise<boolean> => this.change(() => this.api.remove(id), () => this.app.t('album_page.removed', { name }))

  /** Moves photos of the shown album; where they are then is said, not shown. */
  move = async (ids: readonly number[], where: Move): Promise<void> => {
    const { shown, library } = this
    if (shown === null || library.order === null || !this.sortable) return
    const chosen = new Set(ids)
    const inOrder = [...library.order.ids].filter((id) => chosen.has(id))
    const before = placeBefore(library.order.ids, chosen, where)
    if (before === undefined || inOrder.length === 0) return
    await this.app.act(async () => {
      const { undo } = await this.api.move(shown.id, inOrder, before)
      if (undo !== null) this.toasts.note({ what: this.app.t('album_page.move', { name: shown.name }), undo: () => this.undo(undo) })
      await this.readAll()
    })
    this.moved = this.app.t('album_page.moved', { place: library.placeOf(inOrder[0] as number) + 1, count: library.order.ids.length })
  }

  private change(call: () => Promise<AlbumDone>, said: (done: AlbumDone) => string): Promise<boolean> {
    return this.app.act(async () => {
      const done = await call()
      const { undo } = done
      const text = said(done)
      this.toasts.show(text, undo === null ? null : { what: text, undo: () => this.undo(undo) })
      await this.readAll()
    })
  }

  private undo(token: string): Promise<Outcome> {
    return undoing(this.app, async () => {
      try {
        await this.client.libraryUndo(token)
      } finally {
        await this.readAll()
      }
    })
  }

  private async readAll(): Promise<void> {
    await Promise.all([this.read(), this.library.filter.album === null ? null : this.library.read()])
  }
}

export const albums = new Albums(new AlbumApi(client), client, app, toasts, library)
