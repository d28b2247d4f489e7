/** What the user says about faces and people: each said edit is confirmed at the foot of the page and can be taken back, in any order and any number. */

import { ApiError } from './api/client'
import { PeopleApi, type Edit } from './api/people'
import type { Edited, FaceOut, Step } from './api/types'
import { bases, type Bases } from './basis.svelte'
import { app, client, type AppState } from './state.svelte'
import { toasts, type Toasts } from './toasts.svelte'

export class Edits {
  constructor(
    private readonly api: Pick<PeopleApi, 'edit' | 'undo' | 'redo'>,
    private readonly app: Pick<AppState, 'act' | 'refresh' | 't' | 'people'>,
    private readonly toasts: Pick<Toasts, 'show'>,
    private readonly bases: Pick<Bases, 'chosen'>,
  ) {}

  /** Null if it was not taken. `said` is what is confirmed then; null says nothing. */
  async make(edit: Edit, said: ((done: Edited) => string) | null): Promise<Edited | null> {
    const taken: Edited[] = []
    await this.app.act(async () => void taken.push(await this.api.edit(edit)))
    this.app.refresh()
    const done = taken[0] ?? null
    if (done !== null && said !== null) this.say(done, said(done))
    return done
  }

  /** Confirms an edit, with the way back. */
  say({ undo }: Edited, text: string): void {
    this.toasts.show(text, undo === null ? null : () => this.back(undo))
  }

  /**
   * Of somebody new it is noted, too, why they may be recognised.
   *
   * @param others there are faces like these that were not looked at
   */
  name = (face_ids: readonly number[], name: string, others = false): Promise<Edited | null> =>
    this.make({ kind: 'name', face_ids, name, ...(this.isNew(name) ? { basis: this.bases.chosen } : {}) }, ({ count }) =>
      this.app.t(others ? 'ui.edits.named_others' : 'ui.edits.named', { name, count }),
    )

  private isNew(name: string): boolean {
    return !this.app.people.some((person) => person.name.toLowerCase() === name.toLowerCase())
  }

  confirm = ({ id, person_id, person }: FaceOut): Promise<Edited | null> =>
    this.make({ kind: 'name', face_ids: [id], person_id }, ({ count }) => this.app.t('ui.edits.named', { name: person ?? '', count }))

  reject = (face_ids: readonly number[], person_id: number, name: string): Promise<Edited | null> =>
    this.make({ kind: 'reject', face_ids, person_id }, ({ count }) => this.app.t('ui.edits.rejected', { name, count }))

  ignore = (face_ids: readonly number[]): Promise<Edited | null> => this.make({ kind: 'ignore', face_ids }, ({ count }) => this.app.t('ui.edits.ignored', { count }))

  askAgain = (face_ids: readonly number[]): Promise<Edited | null> =>
    this.make({ kind: 'unignore', face_ids }, ({ count }) => this.app.t('ui.edits.asked_again', { count }))

  /** Takes an edit back, or the latest one, and says what that was. False if there was nothing. */
  back = (token: string | null = null): Promise<boolean> =>
    this.step(() => this.api.undo(token), (step) => this.app.t('ui.edits.taken_back', { what: this.words(step) }), this.app.t('ui.edits.nothing_back'))

  again = (): Promise<boolean> =>
    this.step(this.api.redo, (step) => this.app.t('ui.edits.done_again', { what: this.words(step) }), this.app.t('ui.edits.nothing_again'))

  private async step(call: () => Promise<Step>, said: (step: Step) => string, nothing: string): Promise<boolean> {
    let there = false
    const worked = await this.app.act(async () => {
      const step = await call().catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return null
        throw error
      })
      there = step !== null
      this.toasts.show(step === null ? nothing : said(step))
    })
    this.app.refresh()
    return worked && there
  }

  private words({ action, count }: Step): string {
    const key = WORDS[action]
    return key === undefined ? this.app.t('ui.edits.step', { count }) : this.app.t(key, { count })
  }
}

const WORDS: Readonly<Record<string, string>> = {
  name: 'ui.edits.step_name',
  reject: 'ui.edits.step_reject',
  unname: 'ui.edits.step_unname',
  ignore: 'ui.edits.step_ignore',
  unignore: 'ui.edits.step_unignore',
  merge: 'ui.edits.step_merge',
  describe: 'ui.edits.step_describe',
  hide: 'ui.edits.step_hide',
  unhide: 'ui.edits.step_unhide',
  favourite: 'ui.edits.step_favourite',
  unfavourite: 'ui.edits.step_unfavourite',
}

export const edits = new Edits(new PeopleApi(client), app, toasts, bases)
