/** The reference photos of a person: one is added or removed at a time, and both can be undone. */

import type { ConsentApi } from '../api/teamApi'
import type { Problem, ReferencesOut } from '../api/types'
import type { AppState } from '../lib/appState.svelte'
import { Resource } from '../lib/resource.svelte'
import type { Outcome, Toasts, UndoStep } from '../lib/toasts.svelte'

interface Person {
  readonly id: number
  readonly name: string
}

export class References extends Resource<ReferencesOut> {
  /** a photo is being checked */
  adding = $state(false)
  /** why the last photo was refused, or not removed */
  problem = $state.raw<Problem | null>(null)
  /** by name; empty while it is not chosen, or need not be */
  library = $state('')
  readonly undecided = $derived((this.value?.libraries.length ?? 0) > 1 && this.library === '')

  constructor(
    private readonly person: () => Person,
    private readonly api: Pick<ConsentApi, 'references' | 'addReference' | 'removeReference'>,
    private readonly app: Pick<AppState, 'read' | 'refresh' | 't'>,
    private readonly toasts: Pick<Toasts, 'show'>,
    /** undoes a step */
    private readonly back: (token: string) => Promise<Outcome>,
    /** returns why a call was refused */
    private readonly refusal: (call: () => Promise<void>) => Promise<Problem | null>,
  ) {
    super(app)
  }

  add = async (photo: Blob): Promise<void> => {
    if (this.adding || this.undecided) return
    const [{ id, name }, library] = [this.person(), this.library]
    this.adding = true
    await this.change(() => this.api.addReference(id, photo, library), this.app.t('team_page.references.added', { name }), this.app.t('team_page.references.there', { name }))
    this.adding = false
  }

  remove = async (face: number): Promise<void> => {
    const { id, name } = this.person()
    await this.change(() => this.api.removeReference(id, face), this.app.t('team_page.references.removed', { name }))
  }

  /** Does it, and tells the user, with the way back; `same` if nothing changed. */
  private async change(call: () => Promise<{ readonly undo: string | null }>, done: string, same = done): Promise<void> {
    this.problem = await this.refusal(async () => {
      const { undo } = await call()
      this.toasts.show(undo === null ? same : done, undo === null ? null : this.step(done, undo, call))
    })
    this.app.refresh()
  }

  private step(what: string, undo: string, again: () => Promise<{ readonly undo: string | null }>): UndoStep {
    let token = undo
    return {
      what,
      undo: () => this.back(token),
      redo: async () => {
        this.problem = await this.refusal(async () => void (token = (await again()).undo ?? token))
        this.app.refresh()
        return this.problem === null
      },
    }
  }

  protected override fetch(): Promise<ReferencesOut> {
    return this.api.references(this.person().id)
  }
}
