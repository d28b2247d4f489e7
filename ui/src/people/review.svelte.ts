/** The review of doubtful faces: answered and skipped ones, and undo. */

import type { PeopleApi } from '../api/peopleApi'
import type { Doubt, Edited } from '../api/types'
import type { AppState } from '../lib/appState.svelte'
import type { Outcome, UndoStep, Toasts } from '../lib/toasts.svelte'
import type { Edits } from './edits.svelte'

export type Answer = 'yes' | 'no' | 'skip'

interface Given {
  readonly doubt: Doubt
  readonly answer: Answer
  /** undoes it once it has been saved; null if it was skipped */
  readonly step: UndoStep | null
}

/** So many are asked for at once. */
const AHEAD = 30
const MOST = 200
const NONE = Promise.resolve(null)

const keyOf = ({ face, person_id }: Doubt): string => `${face.id} ${person_id}`

export class Review {
  /** null until it is known */
  waiting = $state.raw<readonly Doubt[] | null>(null)
  /** those that wait for an answer, skipped ones included */
  total = $state(0)
  given = $state.raw<readonly Given[]>([])
  private skipped = $state.raw<ReadonlySet<string>>(new Set())

  queue = $derived((this.waiting ?? []).filter((doubt) => !this.skipped.has(keyOf(doubt))))
  current = $derived(this.queue[0])
  answered = $derived(this.given.filter(({ answer }) => answer !== 'skip').length)
  /** "4 of 12" */
  position = $derived(this.given.length + 1)
  of = $derived(this.answered + this.total)
  left = $derived(this.skipped.size)

  /** on their way: the agent may still name them */
  private readonly underWay = new Set<string>()
  /** answers that are being undone */
  private comingBack = 0
  private version = 0
  private told: Promise<unknown> = NONE

  constructor(
    private readonly api: Pick<PeopleApi, 'doubts'>,
    private readonly edits: Pick<Edits, 'make' | 'back'>,
    private readonly app: Pick<AppState, 'read' | 't'>,
    private readonly toasts: Pick<Toasts, 'note' | 'drop' | 'undo'>,
  ) {}

  read = (): Promise<void> =>
    this.app.read(async () => {
      const { version } = this
      const { items, total } = await this.api.doubts(Math.min(MOST, AHEAD + this.skipped.size))
      // It is of the time before an answer, and another reading follows that.
      if (version !== this.version || this.comingBack > 0) return
      const found = items.filter((doubt) => !this.underWay.has(keyOf(doubt)))
      this.waiting = this.askedFirst(found, items.length < total)
      this.total = total - (items.length - found.length)
      const there = new Set(items.map(keyOf))
      if (items.length === total) this.skipped = new Set([...this.skipped].filter((key) => there.has(key)))
    })

  /** What is asked stays asked, or a quick answer would be for another face. `more`: not all that wait are among these. */
  private askedFirst(found: readonly Doubt[], more: boolean): readonly Doubt[] {
    const asked = this.current
    if (asked === undefined) return found
    const same = found.find((doubt) => keyOf(doubt) === keyOf(asked)) ?? (more ? asked : undefined)
    return same === undefined ? found : [same, ...found.filter((doubt) => doubt !== same)]
  }

  async give(answer: Answer): Promise<void> {
    const doubt = this.current
    if (doubt === undefined) return
    const key = keyOf(doubt)
    if (answer === 'skip') {
      this.skipped = new Set([...this.skipped, key])
      this.given = [...this.given, { doubt, answer, step: null }]
      return
    }
    this.version += 1
    this.underWay.add(key)
    this.waiting = (this.waiting ?? []).filter((other) => keyOf(other) !== key)
    this.total -= 1
    // One after the other, or an undo might be sent before the answer that it undoes.
    const told = this.told.then(() => this.tell(doubt, answer))
    this.told = told
    const what = this.app.t(answer === 'yes' ? 'ui.edits.step_named' : 'ui.edits.step_rejected', { name: doubt.person, count: 1 })
    const step: UndoStep = { what, undo: () => this.takeBack(given, told) }
    const given = { doubt, answer, step }
    this.given = [...this.given, given]
    this.toasts.note(step)
    if ((await told) === null) {
      this.given = this.given.filter((other) => other !== given)
      this.toasts.drop(step)
    }
    this.underWay.delete(key)
    this.version += 1
    await this.read()
  }

  /** All that may be a person, as far as is asked for at once. */
  async ofPerson(person: number): Promise<readonly Doubt[]> {
    const found: Doubt[] = []
    await this.app.read(async () => void found.push(...(await this.api.doubts(MOST, person)).items))
    return found
  }

  /** These faces are that person, all at once; `said` is the confirmation. False if it was refused. */
  async confirm(person_id: number, faces: readonly number[], said: (count: number) => string): Promise<boolean> {
    const gone = new Set(faces.map((id) => `${id} ${person_id}`))
    this.version += 1
    gone.forEach((key) => this.underWay.add(key))
    this.waiting = (this.waiting ?? []).filter((doubt) => !gone.has(keyOf(doubt)))
    this.total -= faces.length
    const done = await this.edits.make({ kind: 'name', face_ids: [...faces], person_id }, ({ count }) => said(count))
    gone.forEach((key) => this.underWay.delete(key))
    this.version += 1
    await this.read()
    return done !== null
  }

  private tell({ face, person_id }: Doubt, answer: Answer): Promise<Edited | null> {
    return this.edits.make({ kind: answer === 'yes' ? 'name' : 'reject', face_ids: [face.id], person_id }, null)
  }

  /** Undoes the last answer, and asks again. */
  async back(): Promise<void> {
    const last = this.given.at(-1)
    if (last === undefined) return
    if (last.step !== null) return this.toasts.undo(last.step)
    this.askAgain(last)
    await this.read()
  }

  /** At once, and not when the agent has: the next key is meant for this one. */
  private askAgain(given: Given): void {
    const key = keyOf(given.doubt)
    this.given = this.given.filter((other) => other !== given)
    this.skipped = new Set([...this.skipped].filter((other) => other !== key))
    this.waiting = [given.doubt, ...(this.waiting ?? []).filter((other) => keyOf(other) !== key)]
  }

  private async takeBack(given: Given, told: Promise<Edited | null>): Promise<Outcome> {
    this.askAgain(given)
    this.total += 1
    this.comingBack += 1
    const undone = this.told.then(async (): Promise<Outcome> => {
      const token = (await told)?.undo ?? null
      return token === null ? 'gone' : this.edits.back(token)
    })
    this.told = undone
    const outcome = await undone
    this.comingBack -= 1
    this.version += 1
    await this.read()
    return outcome === false ? 'gone' : outcome
  }

  /** Asks about the skipped ones again. */
  anew(): void {
    this.skipped = new Set()
    this.given = this.given.filter(({ answer }) => answer !== 'skip')
  }
}
