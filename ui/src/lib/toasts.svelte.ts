/**
 * Short messages at the foot of the page about what was just done, and the steps that can be undone; a step outlives its message. Errors are
 * shown beside their cause instead.
 */

import { app, type AppState } from './appState.svelte'

/** Whether it worked; `partly` if some of it was changed since and stays; `gone` if nothing is left to undo, as when it was undone elsewhere. */
export type Outcome = boolean | 'partly' | 'gone'

/** Something the user did on this page. */
export interface UndoStep {
  /** what is undone, in words that follow "Undone:" */
  readonly what: string
  readonly undo: () => Promise<Outcome>
  readonly redo?: () => Promise<Outcome>
}

export interface Toast {
  readonly id: number
  readonly text: string
  /** can be undone from the message until it goes */
  readonly step: UndoStep | null
  /** where the result is shown */
  readonly link: { readonly href: string; readonly text: string } | null
}

const SHOWN_MS = 8_000
const MOST = 3
const MOST_STEPS = 100

export class Toasts {
  list = $state.raw<readonly Toast[]>([])
  private count = 0
  /** the latest last */
  private steps: readonly UndoStep[] = []
  private undone: readonly UndoStep[] = []
  private readonly timers = new Map<number, ReturnType<typeof setTimeout>>()

  constructor(private readonly app: Pick<AppState, 't'>) {}

  /** @param undo undoes what the message tells; as a step it may have other words than the message */
  show(text: string, undo: UndoStep | (() => Promise<Outcome>) | null = null, link: Toast['link'] = null): void {
    const step = typeof undo === 'function' ? { what: text, undo } : undo
    if (step !== null) this.note(step)
    this.display(text, step, link)
  }

  /** Takes a step that no message tells of, to be undone by key. */
  note(step: UndoStep): void {
    this.steps = [...this.steps, step].slice(-MOST_STEPS)
    this.undone = []
  }

  /** Forgets a step that was undone in another way. */
  drop(step: UndoStep): void {
    this.steps = this.steps.filter((other) => other !== step)
  }

  private display(text: string, step: UndoStep | null, link: Toast['link'] = null): void {
    const toast = { id: ++this.count, text, step, link }
    for (const old of this.list.slice(0, Math.max(0, this.list.length - MOST + 1))) this.close(old.id)
    this.list = [...this.list, toast]
    this.release(toast.id)
  }

  /** Stays while the user looks at it. */
  hold(id: number): void {
    clearTimeout(this.timers.get(id))
  }

  release(id: number): void {
    this.hold(id)
    this.timers.set(id, setTimeout(() => this.close(id), SHOWN_MS))
  }

  close(id: number): void {
    clearTimeout(this.timers.get(id))
    this.timers.delete(id)
    this.list = this.list.filter((toast) => toast.id !== id)
  }

  /** Undoes a step, the latest one that is left if none is named, and says which. */
  async undo(wanted?: UndoStep): Promise<void> {
    const step = wanted ?? this.steps.at(-1)
    if (step === undefined) return this.display(this.app.t('ui.edits.nothing_back'), null)
    const before = this.steps
    this.drop(step)
    for (const { id } of this.list.filter((toast) => toast.step === step)) this.close(id)
    const outcome = await step.undo()
    if (outcome === true || outcome === 'partly') {
      if (step.redo) this.undone = [...this.undone, step]
      this.display(this.app.t(outcome === true ? 'ui.edits.undone' : 'ui.edits.undone_partly', { what: step.what }), null)
    } else if (outcome === 'gone' && wanted === undefined) await this.undo()
    else if (outcome === 'gone') this.display(this.app.t('ui.edits.changed_since', { what: step.what }), null)
    // It can be tried again, in its place among those that are left.
    else this.steps = before.filter((other) => other === step || this.steps.includes(other)).concat(this.steps.filter((other) => !before.includes(other)))
  }

  /** Does what was undone last again, and says what. */
  async redo(): Promise<void> {
    const step = this.undone.at(-1)
    if (step?.redo === undefined) return this.display(this.app.t('ui.edits.nothing_again'), null)
    const left = (this.undone = this.undone.slice(0, -1))
    const outcome = await step.redo()
    if (outcome === 'gone') this.display(this.app.t('ui.edits.nothing_again'), null)
    // It can be tried again, unless something else was done meanwhile.
    if (outcome === false && this.undone === left) this.undone = [...left, step]
    if (outcome !== true) return
    this.steps = [...this.steps, step]
    this.display(this.app.t('ui.edits.redone', { what: step.what }), step)
  }
}

export const toasts = new Toasts(app)
