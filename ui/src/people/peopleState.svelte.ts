/** The state of the people pages: groups without a name, name conflicts, one person, one group. */

import { SvelteMap } from 'svelte/reactivity'

import { FACES_PAGE, GROUPS_PAGE, PeopleApi } from '../api/peopleApi'
import type { FaceRef, Forgotten, Group, GroupFaces, Groups, NameConflict, PersonDetail, PersonFace, PersonFaces } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { idOf, readFirst, readNext } from '../lib/parts'
import { Resource } from '../lib/resource.svelte'
import { NOTHING, type Selection } from '../lib/selection'
import { serialQueue } from '../lib/serialQueue'
import { toasts, type Toasts } from '../lib/toasts.svelte'
import { edits, type Edits } from './edits.svelte'
import { Review } from './review.svelte'

/** read at once */
const MOST_GROUPS = 200

export class PeopleState extends Resource<Pick<Groups, 'items' | 'total'>> {
  /** faces that another program calls otherwise */
  conflicts = $state.raw<readonly NameConflict[]>([])
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
  ) {
    super(app)
  }

  /** null until they are known */
  get groups(): readonly Group[] | null {
    return this.value?.items ?? null
  }

  get groupCount(): number {
    return this.value?.total ?? 0
  }

  /** Loads the groups. */
  override read(): Promise<void> {
    return this.inTurn(() => super.read())
  }

  /** As many as are shown, or more. */
  protected override async fetch(): Promise<Pick<Groups, 'items' | 'total'>> {
    const [{ total, items }, stay] = await this.staying(() => readFirst(Math.max(GROUPS_PAGE, this.groups?.length ?? 0), MOST_GROUPS, this.api.groups, idOf))
    return { items: stay, total: total - (items.length - stay.length) }
  }

  moreGroups = (): Promise<void> =>
    this.inTurn(() =>
      this.app.read(async () => {
        const leaving = this.leaving.size
        const [{ total }, stay] = await this.staying(() => readNext(this.groups ?? [], GROUPS_PAGE, MOST_GROUPS, this.api.groups, idOf, leaving))
        this.show(stay, total - this.leaving.size)
      }),
    )

  /** An answer, and its groups without those that were named or ignored before it came. */
  private async staying(ask: () => Promise<Groups>): Promise<[Groups, readonly Group[]]> {
    const reading = ++this.readings
    const answer = await ask()
    return [answer, answer.items.filter(({ id }) => !this.leaving.has(id) && reading > (this.left.get(id) ?? 0))]
  }

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

  /** Names only the faces that the card shows, since the user has seen those; the others become suggestions. */
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

  private show(items: readonly Group[], total: number): void {
    this.value = { items, total: Math.max(0, total) }
  }
}

interface PersonWithFaces {
  readonly detail: PersonDetail
  readonly faces: readonly PersonFace[]
  readonly total: number
}

const NO_FACES: readonly PersonFace[] = []
const faceOf = ({ face }: PersonFace): number => face.id

/** One person, and their faces as far as they have been loaded. */
export class PersonState extends Resource<PersonWithFaces> {
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
  ) {
    super(app)
  }

  get detail(): PersonDetail | null {
    return this.value?.detail ?? null
  }

  get faces(): readonly PersonFace[] {
    return this.value?.faces ?? NO_FACES
  }

  get total(): number {
    return this.value?.total ?? 0
  }

  /** Loads the person, and as many faces as are shown. */
  override read(): Promise<void> {
    return this.inTurn(async () => {
      if (this.receipt === null) await super.read()
    })
  }

  protected override async fetch(): Promise<PersonWithFaces> {
    const [detail, { items, total }] = await Promise.all([this.api.person(this.id), readFirst(Math.max(FACES_PAGE, this.faces.length), FACES_PAGE, this.part, faceOf)])
    return { detail, faces: items, total }
  }

  /** The next of them, when the last ones that are known come near. */
  more = async (): Promise<void> => {
    if (this.reading || this.faces.length >= this.total) return
    this.reading = true
    await this.inTurn(() =>
      this.app.read(async () => {
        const { items, total } = await readNext(this.faces, FACES_PAGE, FACES_PAGE, this.part, faceOf)
        if (this.value) this.value = { ...this.value, faces: items, total }
      }),
    )
    this.reading = false
  }

  private part = (limit: number, offset: number): Promise<PersonFaces> => this.api.faces(this.id, limit, offset)

  forget = (): Promise<boolean> =>
    this.app.act(async () => {
      this.receipt = await this.api.forget(this.id)
      this.value = null
    })
}

/** One group, to take single faces out before it is named. */
export class GroupState extends Resource<GroupFaces> {
  /** they do not belong to it */
  selection = $state.raw<Selection>(NOTHING)
  scrolled = 0

  constructor(
    readonly id: number,
    private readonly api: Pick<PeopleApi, 'group'>,
    app: Pick<AppState, 'read'>,
  ) {
    super(app)
  }

  get faces(): readonly FaceRef[] | null {
    return this.value?.items ?? null
  }

  /** It may be two people's. */
  get doubtful(): boolean {
    return this.value?.doubtful ?? false
  }

  protected override fetch(): Promise<GroupFaces> {
    return this.api.group(this.id)
  }

  protected override take(group: GroupFaces): void {
    super.take(group)
    this.gone = group.items.length === 0
  }
}

export const peopleApi = new PeopleApi(client)
export const people = new PeopleState(peopleApi, edits, app, toasts)
export const review = new Review(peopleApi, edits, app, toasts)

/** The person and the group shown last are kept as they were left, while a photo is open. */
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
