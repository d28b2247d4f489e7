/** Edits of faces and people, sent one after the other, each confirmed by a toast and undone from there or by key. */

import { PeopleApi, type Edit } from '../api/peopleApi'
import type { Edited, FaceOut } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { serialQueue } from '../lib/serialQueue'
import { undoing } from '../lib/undoing'
import { toasts, type Outcome, type UndoStep, type Toasts } from '../lib/toasts.svelte'
import { legalBases, type LegalBases } from './legalBasis.svelte'

/** The faces an edit is about, or how they are found when its turn comes. */
export type Faces = readonly number[] | (() => Promise<readonly number[]>)

export class Edits {
  /** Edits are sent in the order they were made in, and nothing is undone before it is saved. */
  private readonly inTurn = serialQueue()

  constructor(
    private readonly api: Pick<PeopleApi, 'edit' | 'undo'>,
    private readonly app: Pick<AppState, 'act' | 'refresh' | 't' | 'people' | 'account'>,
    private readonly toasts: Pick<Toasts, 'show' | 'undo' | 'redo'>,
    private readonly legalBases: Pick<LegalBases, 'chosen'>,
  ) {}

  /** Null if it was refused. `said` is the confirmation; null shows none. `what` names the step for undo, if that takes other words. */
  make(edit: Edit | (() => Edit | Promise<Edit>), said: ((done: Edited) => string) | null, what: ((done: Edited) => string) | null = said): Promise<Edited | null> {
    return this.inTurn(async () => {
      const taken: [Edit, Edited][] = []
      await this.app.act(async () => {
        const wanted = typeof edit === 'function' ? await edit() : edit
        taken.push([wanted, await this.api.edit(wanted)])
      })
      this.app.refresh()
      const [wanted, done] = taken[0] ?? []
      if (wanted === undefined || done === undefined) return null
      if (said !== null) this.say(wanted, done, said(done), what?.(done))
      return done
    })
  }

  /** Confirms an edit, with the way back. */
  say(edit: Edit, { undo }: Edited, text: string, what = text): void {
    this.toasts.show(text, undo === null ? null : this.step(edit, undo, what))
  }

  private step(edit: Edit, undo: string, what: string): UndoStep {
    let token = undo
    return {
      what,
      undo: () => this.back(token),
      redo: async () => {
        const done = await this.make(edit, null)
        if (done === null || done.undo === null) return false
        token = done.undo
        return true
      },
    }
  }

  /**
   * Of a new person it is noted, too, why they may be recognised. A team enters that with the consent, and without one none are suggested.
   *
   * @param others there are similar faces that the user has not seen
   * @param left_out faces that do not show that person
   */
  name = (face_ids: readonly number[], name: string, others = false, left_out: readonly number[] = []): Promise<Edited | null> =>
    this.make(
      () => ({ kind: 'name', face_ids, name, ...(left_out.length > 0 ? { left_out } : {}), ...(this.isNew(name) && !this.app.account.team ? { basis: this.legalBases.chosen } : {}) }),
      ({ count }) => this.app.t(others && !this.app.account.team ? 'ui.edits.named_others' : 'ui.edits.named', { name, count }),
      ({ count }) => this.app.t('ui.edits.step_named', { name, count }),
    )

  private isNew(name: string): boolean {
    return !this.app.people.some((person) => person.name.toLowerCase() === name.toLowerCase())
  }

  confirm = ({ id, person_id, person }: FaceOut): Promise<Edited | null> => this.confirmAll([id], person_id, person ?? '')

  confirmAll = (face_ids: readonly number[], person_id: number | null, name: string): Promise<Edited | null> =>
    this.make(
      { kind: 'name', face_ids, person_id },
      ({ count }) => this.app.t('ui.edits.named', { name, count }),
      ({ count }) => this.app.t('ui.edits.step_named', { name, count }),
    )

  reject = (face_ids: readonly number[], person_id: number, name: string): Promise<Edited | null> =>
    this.make(
      { kind: 'reject', face_ids, person_id },
      ({ count }) => this.app.t('ui.edits.rejected', { name, count }),
      ({ count }) => this.app.t('ui.edits.step_rejected', { name, count }),
    )

  ignore = (faces: Faces): Promise<Edited | null> =>
    this.make(async () => ({ kind: 'ignore', face_ids: await found(faces) }), ({ count }) => this.app.t('ui.edits.ignored', { count }))

  askAgain = (face_ids: readonly number[]): Promise<Edited | null> =>
    this.make({ kind: 'unignore', face_ids }, ({ count }) => this.app.t('ui.edits.asked_again', { count }))

  /** Undoes an edit. */
  back = (token: string): Promise<Outcome> =>
    this.inTurn(async () => {
      const outcome = await undoing(this.app, () => this.api.undo(token))
      this.app.refresh()
      return outcome
    })

  /** Undoes the latest step of this page once the edits before it are saved. */
  undoLatest = (): Promise<void> => this.settled().then(() => this.toasts.undo())
  redoLatest = (): Promise<void> => this.settled().then(() => this.toasts.redo())

  private settled = (): Promise<void> => this.inTurn(() => Promise.resolve())
}

const found = (faces: Faces): Promise<readonly number[]> => (typeof faces === 'function' ? faces() : Promise.resolve(faces))

export const edits = new Edits(new PeopleApi(client), app, toasts, legalBases)
