/** The people page's state: groups without a name, the review, and what was looked at last. */

import { SvelteMap } from 'svelte/reactivity'

import { ApiError } from '../api/client'
import { FACES_PAGE, GROUPS_PAGE, PeopleApi } from '../api/peopleApi'
import type { FaceRef, Forgotten, Group, NameConflict, PersonDetail, PersonFace } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { NOTHING, type Selection } from '../lib/selection'
import { serialQueue } from '../lib/serialQueue'
import { toasts, type Toasts } from '../lib/toasts.svelte'
import { edits, type Edits } from './edits.svelte'
import { Review } from './review.svelte'

/** read at once */
const MOST_GROUPS = 200

export class PeopleState {
  /** null until they are known */
  groups = $state.raw<readonly Group[] | null>(null)
  groupCount = $state(0)
  /** faces that another program calls otherwise */
  conflicts = $state.raw<readonly NameConflict[]>([])
  /** they could not be read, and none are known from before */
  unread = $state(false)
  order = $state<'photos' | 'name'>('photos')
  hidden = $state(false)
  wanted = $state('')
  scrolled = 0
  /** names that were typed and not saved yet, by group */
  readonly typed = new SvelteMap<number, string>()
  /** groups that are being named or ignored */
  private readonly leaving = new Set<number>()
  /** those that were, with the last reading that may know nothing of it */
  private readonly left = new Map<number, number>()
  private readings = 0
  private readonly inTurn = serialQueue()

  constructor(
    private readonly api: Pick<PeopleApi, 'groups' | 'group' | 'conflicts' | 'keepNames'>,
    private readonly edits: Pick<Edits, 'name' | 'ignore'>,
    private readonly app: Pick<AppState, 'read' | 'act' | 't'>,
    private readonly toasts: Pick<Toasts, 'show'>,
  ) {}

  /** As many as are shown, or more. */
  readGroups = (): Promise<void> =>
    this.inTurn(async () => {
      const most = Math.min(Math.max(GROUPS_PAGE, this.groups?.length ?? 0), MOST_GROUPS)
      await this.app.read(async () => {
        const reading = ++this.readings
        const { items, total } = await this.api.groups(most, 0)
        const stay = items.filter(({ id }) => !this.leaving.has(id) && reading > (this.left.get(id) ?? 0))
        this.show(stay, total - (items.length - stay.length))
      })
      this.unread = this.groups === null
    })

  moreGroups = (): Promise<void> =>
    this.inTurn(() =>
      this.app.read(async () => {
        const before = this.groups ?? []
        const { items, total } = await this.api.groups(GROUPS_PAGE, before.length + this.leaving.size)
        const known = new Set([...before.map(({ id }) => id), ...this.leaving])
        this.show([...before, ...items.filter(({ id }) => !known.has(id))], total - this.leaving.size)
      }),
    )

  readConflicts = (): Promise<void> => this.app.read(async () => void (this.conflicts = await this.api.conflicts()))

  /** The user's name counts, whatever others call the face. */
  keepName = async ({ face, ours }: NameConflict): Promise<void> => {
    const said = (kept: boolean): Promise<boolean> =>
      this.app.act(async () => {
        await this.api.keepNames([face.id], kept)
        await this.readConflicts()
      })
    if (await said(true)) this.toasts.show(this.app.t('people_page.conflicts.kept', { name: ours }), () => said(false))
  }

  /** The face is who the other program says. */
  takeName = async ({ face, theirs }: NameConflict): Promise<void> => {
    await this.edits.name([face.id], theirs)
    await this.readConflicts()
  }

  /** Only the faces that the card shows get the name, for those were looked at: the others become suggestions. */
  nameGroup = (group: Group, name: string): Promise<boolean> => {
    const ids = group.faces.map(({ id }) => id)
    return this.settle(group, () => this.edits.name(ids, name, group.size > ids.length))
  }

  /** All faces of the group. */
  ignoreGroup = (group: Group): Promise<boolean> =>
    this.settle(group, () => this.edits.ignore(async () => (await this.api.group(group.id)).items.map(({ id }) => id)))

  /** Takes the group from the page at once; it comes back with its name if that could not be saved. */
  private async settle(group: Group, say: () => Promise<unknown>): Promise<boolean> {
    const place = (this.groups ?? []).findIndex(({ id }) => id === group.id)
    this.leaving.add(group.id)
    this.show((this.groups ?? []).filter(({ id }) => id !== group.id), this.groupCount - 1)
    const taken = await say()
    this.leaving.delete(group.id)
    if (taken === null) {
      const others = (this.groups ?? []).filter(({ id }) => id !== group.id)
      this.show([...others.slice(0, place), group, ...others.slice(place)], this.groupCount + 1)
    } else {
      this.typed.delete(group.id)
      this.left.set(group.id, this.readings)
    }
    return taken !== null
  }

  private show(groups: readonly Group[], count: number): void {
    this.groups = groups
    this.groupCount = Math.max(0, count)
  }
}

/** One person, and their faces as far as they have been read. */
export class PersonState {
  detail = $state.raw<PersonDetail | null>(null)
  faces = $state.raw<readonly PersonFace[]>([])
  total = $state(0)
  /** there is no such person, or no longer */
  gone = $state(false)
  /** it could not be read, and is not known from before */
  unread = $state(false)
  /** what went when they were forgotten */
  receipt = $state.raw<Forgotten | null>(null)
  selection = $state.raw<Selection>(NOTHING)
  scrolled = 0
  private reading = false
  private readonly inTurn = serialQueue()

  constructor(
    readonly id: number,
    private readonly api: Pick<PeopleApi, 'person' | 'faces' | 'forget'>,
    private readonly app: Pick<AppState, 'read' | 'act'>,
  ) {}

  /** Everything that is shown, anew. */
  read = (): Promise<void> =>
    this.inTurn(async () => {
      if (this.receipt !== null) return
      await this.app.read(async () => {
        try {
          const parts = Math.max(1, Math.ceil(this.faces.length / FACES_PAGE))
          const [detail, ...pages] = await Promise.all([
            this.api.person(this.id),
            ...Array.from({ length: parts }, (_, part) => this.api.faces(this.id, FACES_PAGE, part * FACES_PAGE)),
          ])
          this.detail = detail
          this.faces = pages.flatMap(({ items }) => items)
          this.total = pages[0]?.total ?? 0
          this.gone = false
        } catch (error) {
          if (!(error instanceof ApiError) || error.status !== 404) throw error
          this.gone = true
        }
      })
      this.unread = this.detail === null && !this.gone
    })

  /** The next of them, when the last ones that are known come near. */
  more = async (): Promise<void> => {
    if (this.reading || this.faces.length >= this.total) return
    this.reading = true
    await this.inTurn(() =>
      this.app.read(async () => {
        const { items, total } = await this.api.faces(this.id, FACES_PAGE, this.faces.length)
        const known = new Set(this.faces.map(({ face }) => face.id))
        this.faces = [...this.faces, ...items.filter(({ face }) => !known.has(face.id))]
        this.total = total
      }),
    )
    this.reading = false
  }

  forget = (): Promise<boolean> =>
    this.app.act(async () => {
      this.receipt = await this.api.forget(this.id)
      this.faces = []
      this.detail = null
    })
}

/** One group, to take single faces out before it is named. */
export class GroupState {
  faces = $state.raw<readonly FaceRef[] | null>(null)
  /** it may be two people's */
  doubtful = $state(false)
  gone = $state(false)
  unread = $state(false)
  /** they do not belong to it */
  selection = $state.raw<Selection>(NOTHING)
  scrolled = 0

  constructor(
    readonly id: number,
    private readonly api: Pick<PeopleApi, 'group'>,
    private readonly app: Pick<AppState, 'read'>,
  ) {}

  async read(): Promise<void> {
    await this.app.read(async () => {
      try {
        const { items, doubtful } = await this.api.group(this.id)
        this.faces = items
        this.doubtful = doubtful
        this.gone = this.faces.length === 0
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error
        this.gone = true
      }
    })
    this.unread = this.faces === null && !this.gone
  }
}

export const peopleApi = new PeopleApi(client)
export const people = new PeopleState(peopleApi, edits, app, toasts)
export const review = new Review(peopleApi, edits, app, toasts)

/** The one that was looked at last is as it was left, also after a photo was. */
let lastPerson = new PersonState(0, peopleApi, app)
let lastGroup = new GroupState(0, peopleApi, app)

export function personOf(id: number): PersonState {
  if (lastPerson.id !== id) lastPerson = new PersonState(id, peopleApi, app)
  return lastPerson
}

export function groupOf(id: number): GroupState {
  if (lastGroup.id !== id) lastGroup = new GroupState(id, peopleApi, app)
  return lastGroup
}
