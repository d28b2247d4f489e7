/** A search by a face of the library: what it found, and the photos as far as they are shown. */

import { SvelteSet } from 'svelte/reactivity'

import type { Client } from '../api/client'
import type { PeopleApi } from '../api/peopleApi'
import type { FaceOut, ImageOut } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { Resource } from '../lib/resource.svelte'
import { peopleApi } from './peopleState.svelte'
import type { Alike } from './searchResult'

const PART = 24

type Found = Alike['found'][number]

export interface FaceMatch {
  readonly found: Found
  readonly image: ImageOut
  readonly face: FaceOut
}

export class FaceMatches extends Resource<Alike> {
  readonly selected = new SvelteSet<number>()
  scrolled = 0
  /** photos by id, with the names their faces have now */
  private photos = $state.raw<ReadonlyMap<number, ImageOut>>(new Map())
  private most = $state(PART)
  private searched = false
  /** how often photos were asked for, and which of these answers is shown */
  private turns = 0
  private taken = 0

  constructor(
    readonly id: number,
    private readonly api: Pick<PeopleApi, 'searchFace'>,
    private readonly client: Pick<Client, 'byId'>,
    private readonly app: Pick<AppState, 'read'>,
  ) {
    super(app)
  }

  readonly matches = $derived(
    (this.value?.found ?? []).slice(0, this.most).flatMap((found): FaceMatch[] => {
      const image = this.photos.get(found.image_id)
      const face = image?.faces.find(({ id }) => id === found.id)
      return image && face ? [{ found, image, face }] : []
    }),
  )
  /** so many come with the next part */
  readonly next = $derived(Math.max(0, Math.min(PART, (this.value?.found.length ?? 0) - this.most)))
  /** the photo of the searched face */
  readonly own = $derived(this.value?.image_id == null ? undefined : this.photos.get(this.value.image_id))
  readonly face = $derived.by(() => this.own?.faces.find(({ id }) => id === this.id))
  /** those that a name is given to: the searched face, unless its name is confirmed, and the selected ones */
  readonly named = $derived.by(() => [...(this.face?.certainty === 'confirmed' ? [] : [this.id]), ...this.selected])

  /** Searches once, since each search is on the record; afterwards only the names are read again. */
  override async read(): Promise<void> {
    if (!this.searched) {
      this.searched = true
      await super.read()
    }
    await this.readPhotos()
  }

  again = (): Promise<void> => {
    this.searched = false
    return this.read()
  }

  more = (): Promise<void> => {
    this.most += PART
    return this.readPhotos()
  }

  protected override async fetch(): Promise<Alike | null> {
    return (await this.api.searchFace(this.id)).faces[0] ?? null
  }

  private async readPhotos(): Promise<void> {
    const { value } = this
    if (value === null) return
    const turn = ++this.turns
    const ids = new Set([...(value.image_id === null ? [] : [value.image_id]), ...value.found.slice(0, this.most).map(({ image_id }) => image_id)])
    const wanted = [...ids]
    await this.app.read(async () => {
      const photos = new Map<number, ImageOut>()
      // The API answers for a hundred at a time.
      for (let from = 0; from < wanted.length; from += 100) for (const image of await this.client.byId(wanted.slice(from, from + 100))) photos.set(image.id, image)
      // Those that were asked for later may be here already, and be more.
      if (turn > this.taken) [this.taken, this.photos] = [turn, photos]
    })
  }
}

/** The latest search is kept as it was left, while a photo is open. */
let last: FaceMatches | null = null

export function matchesOf(id: number): FaceMatches {
  return last?.id === id ? last : (last = new FaceMatches(id, peopleApi, client, app))
}

/** Goes to the page of a new search. */
export function searchByFace(id: number): void {
  last = null
  location.hash = `#faces/${id}`
}
