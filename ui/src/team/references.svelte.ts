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

type Call = () => Promise<{ readonly undo: string | null; readonly resembles?: { readonly name: string } | null }>

/** A photo that was taken although it resembles another person. */
export interface Doubt {
  /** the other person */
  readonly resembles: string
  readonly step: UndoStep
}

export class References extends Resource<ReferencesOut> {
  /** a photo is being checked */
  adding = $state(false)
  /** why the last photo was refused, or not removed */
  problem = $state.raw<Problem | null>(null)
  /** about the photo that was added last, until it is removed or kept */
  doubt = $state.raw<Doubt | null>(null)
  /** by name; empty while it is not chosen, or need not be */
  library = $state('')
  readonly undecided = $derived((this.value?.libraries.length ?? 0) > 1 && this.library === '')

  constructor(
    private readonly person: () => Person,
    private readonly api: Pick<ConsentApi, 'references' | 'addReference' | 'removeReference'>,
    private readonly app: Pick<AppState, 'read' | 'refresh' | 't'>,
    private readonly toasts: Pick<Toasts, 'show' | 'note' | 'undo'>,
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
    this.doubt = null
    await this.change(() => this.api.addReference(id, photo, library), this.app.t('team_page.references.added', { name }), this.app.t('team_page.references.there', { name }))
    this.adding = false
  }

  remove = async (face: number): Promise<void> => {
    const { id, name } = this.person()
    await this.change(() => this.api.removeReference(id, face), this.app.t('team_page.references.removed', { name }))
  }

  /** Removes the doubtful photo. */
  takeBack = async (): Promise<void> => {
    if (this.doubt) await this.toasts.undo(this.doubt.step)
  }
  keep = (): void => void (this.doubt = null)

  /** Does it, and tells the user, with the way back; `same` if nothing changed. */
  private async change(call: Call, done: string, same = done): Promise<void> {
    this.problem = await this.refusal(async () => {
      const { undo, resembles } = await call()
      if (undo === null) return this.toasts.show(same)
      const step = this.step(done, undo, call)
      if (!resembles) return this.toasts.show(done, step)
      // A message at the foot would go before it is read.
      this.toasts.note(step)
      this.doubt = { resembles: resembles.name, step }
    })
    this.app.refresh()
  }

  private step(what: string, undo: string, again: Call): UndoStep {
    let token = undo
    const step: UndoStep = {
      what,
      undo: async () => {
        const outcome = await this.back(token)
        if (outcome !== false && this.doubt?.step === step) this.doubt = null
        return outcome
      },
      redo: async () => {
        this.problem = await this.refusal(async () => void (token = (await again()).undo ?? token))
        this.app.refresh()
        return this.problem === null
      },
    }
    return step
  }

  protected override fetch(): Promise<ReferencesOut> {
    return this.api.references(this.person().id)
  }
}
