/** A class list that is imported: read by the server, entered person by person, then its photos one by one; all of these are undone at once. */

import { ApiError, Unreachable } from '../api/client'
import type { ConsentApi } from '../api/teamApi'
import type { ListedPersonOut, ListRead, Problem } from '../api/types'
import type { AppState } from '../lib/appState.svelte'

/** What was not taken: a photo, or a person of the list. */
export interface Refusal {
  readonly person: string
  /** null: the person was refused */
  readonly photo: string | null
  readonly problem: Problem
}

/** A photo that was taken although it resembles another person. */
export interface Doubtful {
  readonly person: string
  readonly photo: string
  /** the other person */
  readonly resembles: string
  readonly step: string
}

interface Portrait {
  readonly person: ListedPersonOut
  readonly name: string
  readonly file: File
}

export type Phase = 'choosing' | 'importing' | 'stopped' | 'done' | 'undoing' | 'undone'

export class ClassList {
  read = $state.raw<ListRead | null>(null)
  name = $state('')
  /** why the list can't be read, or the import or its undoing stopped */
  problem = $state.raw<Problem | null>(null)
  /** the photos that were chosen, by their paths within the folder, and by their names */
  files = $state.raw<ReadonlyMap<string, File>>(new Map())
  library = $state('')
  phase = $state<Phase>('choosing')
  /** people and photos that are through */
  ended = $state(0)
  /** null until the pace of what takes longest is known */
  secondsLeft = $state<number | null>(null)
  entered = $state(0)
  added = $state(0)
  made = $state(0)
  refused = $state.raw<readonly Refusal[]>([])
  /** of the references that are still there */
  doubtful = $state.raw<readonly Doubtful[]>([])
  /** of the references that were added, oldest first */
  steps = $state.raw<readonly string[]>([])
  /** references that were removed again */
  undone = $state(0)

  readonly people = $derived(this.read?.people ?? [])
  /** Only who agrees to be recognised has photos sent. */
  readonly named = $derived(this.people.filter(({ purposes }) => purposes?.includes('recognise')).flatMap((person) => person.photos.map((name) => ({ person, name }))))
  readonly portraits = $derived(this.named.flatMap(({ person, name }): readonly Portrait[] => this.found(person, name)))
  readonly missing = $derived(this.named.filter(({ person, name }) => this.found(person, name).length === 0))
  readonly total = $derived(this.people.length + this.portraits.length)
  readonly undecided = $derived((this.read?.libraries.length ?? 0) > 1 && this.library === '' && this.portraits.length > 0)
  readonly busy = $derived(this.phase === 'importing' || this.phase === 'undoing')
  readonly ready = $derived(this.people.length > 0 && this.read?.wrong.length === 0 && !this.undecided)

  private ids = new Map<string, number>()
  private sent = new Set<string>()
  private stopping = false

  constructor(
    private readonly api: Pick<ConsentApi, 'readList' | 'enter' | 'addReference'>,
    /** undoes a step */
    private readonly back: (token: string) => Promise<unknown>,
    private readonly app: Pick<AppState, 'refresh' | 'refuse' | 't'>,
    private readonly now: () => number = Date.now,
  ) {}

  choose = async (file: File): Promise<void> => {
    this.begin()
    this.name = file.name
    try {
      this.read = await this.api.readList(file)
    } catch (error) {
      this.problem = this.problemOf(error)
    }
  }

  add = (files: Iterable<File>): void => {
    const found = new Map(this.files)
    for (const file of files) {
      found.set(keyOf(file.name), file)
      const inside = file.webkitRelativePath.split('/').slice(1).join('/')
      if (inside) found.set(keyOf(inside), file)
    }
    this.files = found
  }

  /** Goes on where it stopped. What is there already is not entered again. */
  start = async (): Promise<void> => {
    if (!this.ready || this.busy) return
    this.phase = 'importing'
    this.stopping = false
    this.problem = null
    try {
      const portraits = this.portraits.filter((portrait) => !this.sent.has(sentKey(portrait)))
      await this.each(this.people.filter(({ name }) => !this.ids.has(name)), this.enter, portraits.length === 0)
      await this.each(portraits, this.send, true)
      this.phase = 'done'
    } catch (error) {
      this.phase = 'stopped'
      if (error !== STOPPED) this.problem = this.problemOf(error)
    }
  }

  /** Removes the references that were added; what was refused or interrupted can be tried again. People and consents stay. */
  undo = (): Promise<void> => this.takeBack(this.steps.toReversed(), 'undone')

  /** Removes one of the doubtful references. */
  remove = ({ step }: Doubtful): Promise<void> => this.takeBack([step])

  private async takeBack(steps: readonly string[], then = this.phase): Promise<void> {
    if (this.busy) return
    const before = this.phase
    this.phase = 'undoing'
    this.problem = null
    try {
      for (const token of steps) {
        if (await this.isUndone(token)) this.undone += 1
        this.steps = this.steps.filter((step) => step !== token)
        this.doubtful = this.doubtful.filter(({ step }) => step !== token)
      }
      this.phase = then
    } catch (error) {
      this.phase = before
      this.problem = this.problemOf(error)
    }
    this.app.refresh()
  }

  /** After the current person or photo. */
  stop = (): void => void (this.stopping = true)

  private begin(): void {
    this.read = this.problem = null
    this.name = this.library = ''
    this.phase = 'choosing'
    this.ended = this.entered = this.added = this.made = this.undone = 0
    this.refused = []
    this.doubtful = []
    this.steps = []
    this.ids = new Map()
    this.sent = new Set()
  }

  private async each<T>(all: readonly T[], work: (one: T) => Promise<void>, paced: boolean): Promise<void> {
    this.secondsLeft = null
    const began = this.now()
    for (const [before, one] of all.entries()) {
      if (this.stopping) throw STOPPED
      await work(one)
      this.ended += 1
      const done = before + 1
      if (paced && done >= PACED) this.secondsLeft = ((this.now() - began) / 1_000 / done) * (all.length - done)
    }
  }

  private readonly enter = async (person: ListedPersonOut): Promise<void> => {
    const { line: _, new: __, photos: ___, ...facts } = person
    await this.taken(person.name, null, async () => {
      const { person_id, new: made, entered } = await this.api.enter(facts)
      this.ids.set(person.name, person_id)
      this.made += made ? 1 : 0
      this.entered += entered
    })
    if (!this.ids.has(person.name)) this.ids.set(person.name, REFUSED)
  }

  private readonly send = async (portrait: Portrait): Promise<void> => {
    const id = this.ids.get(portrait.person.name)
    if (!(await isThere(portrait.file))) {
      const problem = { code: 'upload.unreadable', cause: this.app.t('team_page.upload.unreadable'), remedy: this.app.t('team_page.upload.unreadable_text'), params: {} }
      this.refused = [...this.refused, { person: portrait.person.name, photo: portrait.name, problem }]
    } else if (id !== undefined && id !== REFUSED) {
      await this.taken(portrait.person.name, portrait.name, async () => {
        const { added, undo, resembles } = await this.api.addReference(id, portrait.file, this.library)
        this.added += added ? 1 : 0
        if (undo === null) return
        this.steps = [...this.steps, undo]
        if (resembles) this.doubtful = [...this.doubtful, { person: portrait.person.name, photo: portrait.name, resembles: resembles.name, step: undo }]
      })
    }
    this.sent.add(sentKey(portrait))
  }

  /** False if there was nothing left to undo, as after the person withdrew. */
  private async isUndone(token: string): Promise<boolean> {
    try {
      await this.back(token)
      return true
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error
      return false
    }
  }

  /** Notes a refusal of this one; what concerns all that follow ends the import. */
  private async taken(person: string, photo: string | null, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ApiError) || !concernsOne(error)) throw error
      this.refused = [...this.refused, { person, photo, problem: error.problem }]
    }
  }

  private found(person: ListedPersonOut, name: string): readonly Portrait[] {
    const path = keyOf(name)
    const file = this.files.get(path) ?? this.files.get(path.slice(path.lastIndexOf('/') + 1))
    return file === undefined ? [] : [{ person, name, file }]
  }

  private problemOf(error: unknown): Problem {
    if (error instanceof ApiError) {
      if (error.status === 401) this.app.refuse(error)
      return error.problem
    }
    if (!(error instanceof Unreachable)) throw error
    return { code: 'server.unreachable', cause: this.app.t('team_page.unreachable'), remedy: this.app.t('team_page.unreachable_text'), params: {} }
  }
}

const STOPPED = new Error('stopped')
const REFUSED = -1
/** So many tell the pace. */
const PACED = 3
const OF_ALL = ['people.recognition_off', 'upload.library']

function concernsOne({ status, problem }: ApiError): boolean {
  return [404, 409, 413, 415, 422, 400].includes(status) && !OF_ALL.includes(problem.code)
}

/** A file that is gone fails as a broken connection does. */
async function isThere(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer()
    return true
  } catch {
    return false
  }
}

function keyOf(path: string): string {
  return path.normalize('NFC').replaceAll('\\', '/').toLowerCase()
}

function sentKey({ person, name }: Portrait): string {
  return `${person.line}/${name}`
}
