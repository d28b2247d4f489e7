/** The state of covered copies: the batches, one batch, and the copy that is edited. */

import { RedactionApi, ITEMS_PAGE, type Wanted } from '../api/redactionApi'
import type { MomentsOut, Problem, RedactedOut, RedactionBatchOut, RedactionDetail, RedactionItems } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { idOf, readFirst, readNext } from '../lib/parts'
import { Resource } from '../lib/resource.svelte'
import { toasts, type Toasts } from '../lib/toasts.svelte'
import { alike, firstStep, redone, step, undone, type Regions, type Steps } from './regions'

/** Time between two requests for the progress of a batch. */
const LOOK_MS = 700
const SAVE_LOOK_MS = 150
/** The API gives so many copies at once. */
const MOST_ITEMS = 500

export class Batches extends Resource<readonly RedactionBatchOut[]> {
  constructor(
    private readonly api: Pick<RedactionApi, 'batches' | 'batch' | 'begin'>,
    private readonly app: Pick<AppState, 'read' | 't'>,
    private readonly toasts: Pick<Toasts, 'show'>,
    private readonly wait: (ms: number) => Promise<void>,
  ) {
    super(app)
  }

  protected override async fetch(): Promise<readonly RedactionBatchOut[]> {
    return (await this.api.batches()).items
  }

  /** Starts one and tells how it went once it is through. Raises what the agent says against it. */
  async begin(wanted: Wanted): Promise<RedactionBatchOut> {
    const batch = await this.api.begin(wanted)
    const { planned, done, needs_review, failed, stopped = 0 } = batch
    const out = wanted.images.length - (planned + done + needs_review + failed + stopped)
    const said = this.app.t('cover_page.begun', { count: planned })
    // Photos of a library in which the member may not make copies.
    if (planned > 0) this.toasts.show(out > 0 ? this.app.t('cover_page.left_out', { said, count: out }) : said, null, this.link(batch))
    void this.follow(batch)
    return batch
  }

  private async follow(begun: RedactionBatchOut): Promise<void> {
    let batch = begun
    while (batch.planned > 0) {
      await this.wait(LOOK_MS)
      try {
        batch = await this.api.batch(begun.uid)
      } catch {
        return // the page of the batches says what there is
      }
    }
    void this.read()
    this.toasts.show(this.told(batch), null, this.link(batch))
  }

  private told({ done, needs_review, failed }: RedactionBatchOut): string {
    const { t } = this.app
    const parts = [t('cover_page.ended', { count: done + needs_review })]
    if (needs_review > 0) parts.push(t('cover_page.to_look_at', { count: needs_review }))
    if (failed > 0) parts.push(t('cover_page.failed', { count: failed }))
    return parts.join(t('ui.clause_separator'))
  }

  private link({ uid }: RedactionBatchOut): { href: string; text: string } {
    return { href: `#covers/${uid}`, text: this.app.t('cover_page.look') }
  }
}

interface BatchCopies {
  readonly batch: RedactionBatchOut
  readonly items: readonly RedactedOut[]
  readonly total: number
  /** the newest change of a copy when the first of them were read */
  readonly changed_at: string | null
}

const NO_COPIES: readonly RedactedOut[] = []

/** One batch, and its copies as far as they have been read. */
export class BatchState extends Resource<BatchCopies> {
  /** what became of the copy before */
  said = $state('')
  scrolled = 0

  constructor(
    readonly uid: string,
    private readonly api: Pick<RedactionApi, 'batch' | 'items' | 'accept' | 'retry' | 'stop'>,
    private readonly app: Pick<AppState, 'read' | 'act'>,
  ) {
    super(app)
  }

  get batch(): RedactionBatchOut | null {
    return this.value?.batch ?? null
  }

  get items(): readonly RedactedOut[] {
    return this.value?.items ?? NO_COPIES
  }

  get total(): number {
    return this.value?.total ?? 0
  }

  /** As many as are shown, or more. */
  protected override async fetch(): Promise<BatchCopies> {
    for (;;) {
      const count = Math.max(ITEMS_PAGE, this.items.length)
      const [batch, copies] = await Promise.all([this.api.batch(this.uid), readFirst(count, MOST_ITEMS, this.part, idOf)])
      if (this.items.length <= count) return { batch, ...copies } // else more were loaded meanwhile
    }
  }

  more = (): Promise<void> =>
    this.app.read(async () => {
      const { items, total } = await readNext(this.items, ITEMS_PAGE, MOST_ITEMS, this.part, idOf)
      if (this.value) this.value = { ...this.value, items, total }
    })

  private part = (limit: number, offset: number): Promise<RedactionItems> => this.api.items(this.uid, limit, offset)

  /** Approves a copy as it was seen. */
  accept = ({ id, at }: Pick<RedactedOut, 'id' | 'at'>): Promise<boolean> => this.doing(() => this.api.accept(this.uid, [id], at))

  /** Approves all copies as they were when they were read; returns how many. */
  acceptAll = async (): Promise<number> => {
    let count = 0
    await this.doing(async () => ({ count } = await this.api.accept(this.uid, null, this.value?.changed_at ?? null)))
    return count
  }

  retry = (): Promise<boolean> => this.doing(() => this.api.retry(this.uid))
  stop = (): Promise<boolean> => this.doing(() => this.api.stop(this.uid))

  private async doing(call: () => Promise<unknown>): Promise<boolean> {
    const worked = await this.app.act(async () => void (await call()))
    await this.read()
    return worked
  }
}

/** One copy, with the marks as they are being changed. */
export class Editor extends Resource<RedactionDetail> {
  steps = $state.raw<Steps>(firstStep([]))
  saving = $state(false)
  /** why the copy could not be made again; the previous one is still there */
  refused = $state.raw<Problem | null>(null)
  /** as they are in the copy */
  private saved = $state.raw<Regions>([])
  /** how often it was saved */
  private saves = 0

  marks = $derived(this.steps.now)
  dirty = $derived(!alike(this.steps.now, this.saved))

  constructor(
    readonly id: number,
    private readonly api: Pick<RedactionApi, 'item' | 'edit' | 'show'>,
    private readonly app: Pick<AppState, 'read' | 'act'>,
    private readonly wait: (ms: number) => Promise<void>,
  ) {
    super(app)
  }

  get item(): RedactedOut | null {
    return this.value?.item ?? null
  }

  /** the people below the regions that were there when it was loaded: faces stay in their places */
  get names(): readonly (string | null)[] {
    return this.value?.names ?? []
  }

  /** of an animation or a video, if its regions can be changed */
  get moments(): MomentsOut | null {
    return this.value?.moments ?? null
  }

  override async read(): Promise<void> {
    if (!this.saving) await super.read()
  }

  protected override async fetch(): Promise<RedactionDetail | null> {
    const { saves } = this
    const detail = await this.api.item(this.id)
    return saves === this.saves ? detail : null // else it is the copy before
  }

  /** Changes that are not saved stay. */
  protected override take(detail: RedactionDetail): void {
    // Where nothing is new, what was undone can still be redone.
    if (!this.dirty && !alike(detail.marks, this.saved)) this.steps = firstStep(detail.marks)
    this.saved = detail.marks
    super.take(detail)
  }

  change = (marks: Regions | null): void => {
    if (marks !== null) this.steps = step(this.steps, marks)
  }
  undo = (): boolean => this.moveTo(undone(this.steps))
  redo = (): boolean => this.moveTo(redone(this.steps))

  private moveTo(steps: Steps | null): boolean {
    if (steps !== null) this.steps = steps
    return steps !== null
  }

  /** Has the copy made again, and waits for it. Returns whether it was. */
  async save(): Promise<boolean> {
    if (this.saving) return false
    const { marks } = this
    this.saving = true
    this.saves += 1
    this.refused = null
    const asked = await this.app.act(async () => {
      let item = await this.api.edit(this.id, marks)
      while (item.state === 'planned') {
        await this.wait(SAVE_LOOK_MS)
        item = (await this.api.item(this.id)).item
      }
      this.refused = item.error
      if (this.value) this.value = { ...this.value, item }
      if (item.error === null) this.saved = marks
    })
    this.saving = false
    return asked && this.refused === null
  }

  show = (): Promise<boolean> => this.app.act(async () => void (await this.api.show(this.id)))
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export const redactionApi = new RedactionApi(client)
export const batches = new Batches(redactionApi, app, toasts, wait)

let lastBatch = new BatchState('', redactionApi, app)
/** What was changed and not saved waits here. */
const editors = new Map<number, Editor>()

export function batchOf(uid: string): BatchState {
  if (lastBatch.uid !== uid) lastBatch = new BatchState(uid, redactionApi, app)
  return lastBatch
}

export function editorOf(id: number): Editor {
  for (const [known, { dirty, saving }] of editors) if (known !== id && !dirty && !saving) editors.delete(known)
  const editor = editors.get(id) ?? new Editor(id, redactionApi, app, wait)
  editors.set(id, editor)
  return editor
}
