/** The review of the newest screen capture. */

import { CaptureApi } from '../api/captureApi'
import { ApiError } from '../api/client'
import type { CaptureChange, CaptureOut } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { serialQueue } from '../lib/serialQueue'
import { toasts, type Toasts } from '../lib/toasts.svelte'
import { withChange } from '../redaction/regions'

const looks = (one: CaptureOut | null): string => JSON.stringify(one && [one.id, one.faces, one.drawn, one.style])

export class CaptureReview {
  /** null if there is none, or none is known yet */
  shown = $state.raw<CaptureOut | null>(null)
  /** grows with every other look of the picture */
  version = $state(0)
  /** one was seen since the review began: before, there is nothing to do anything with */
  seen = $state(false)
  /** areas are being drawn on it */
  drawing = $state(false)
  /** id of the last one that was copied or saved, whatever was changed of it since */
  private out = $state<string | null>(null)
  /** how the newest looks as far as the agent has told */
  private looked = looks(null)
  /** what the agent was asked to do: one after the other; how much of it waits, has ended and did not work */
  private readonly turn = serialQueue()
  private waiting = 0
  private ended = 0
  private failed = 0
  private visits = 0

  readonly kept = $derived(this.shown !== null && (this.shown.copied || this.shown.path != null))
  readonly changed = $derived(this.shown !== null && !this.kept && this.shown.id === this.out)

  constructor(
    private readonly api: CaptureApi,
    private readonly app: Pick<AppState, 'act' | 'read' | 't'>,
    private readonly toasts: Pick<Toasts, 'show'>,
  ) {}

  /** An answer that is older than the user's last change is ignored; another follows. */
  async read(): Promise<void> {
    const { ended } = this
    await this.app.read(async () => {
      const { items } = await this.api.open()
      if (this.waiting === 0 && ended === this.ended) this.take(items)
    })
  }

  come = (): void => {
    this.visits += 1
    this.seen = this.shown !== null
  }

  /** There is none any more: says so, unless it was discarded here. */
  async leave(): Promise<void> {
    const { visits } = this
    await this.turn(() => this.read())
    if (visits === this.visits) this.shown = null
  }

  /** It is seen at once: the next change builds on it. */
  change(change: CaptureChange): Promise<void> {
    if (this.shown !== null) this.shown = withChange(this.shown, change)
    return this.act((id) => this.api.change(id, change))
  }
  copy = (): Promise<void> => this.act(this.api.copy)
  save = (): Promise<void> => this.act(this.api.save)
  discard = (): Promise<void> => this.act((id) => this.api.discard(id).then(() => (this.shown = null)))

  /** After a change failed, actions queued behind it are dropped: they would copy faces that the user saw covered. */
  private async act(call: (id: string) => Promise<unknown>): Promise<void> {
    const id = this.shown?.id
    if (id === undefined) return
    const { failed } = this
    this.waiting += 1
    await this.turn(async () => {
      try {
        if (failed === this.failed && !(await this.app.act(() => this.reach(call, id)))) this.failed += 1
      } finally {
        this.waiting -= 1
        this.ended += 1
      }
    })
    await this.read()
  }

  private async reach(call: (id: string) => Promise<unknown>, id: string): Promise<void> {
    await call(id).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error // else it is gone, and is missed in the list
    })
  }

  private take(items: readonly CaptureOut[]): void {
    const before = this.shown
    if (before !== null && !items.some(({ id }) => id === before.id)) this.toasts.show(this.app.t('cover_page.capture.gone'))
    const newest = items.at(-1) ?? null
    if (looks(newest) !== this.looked) this.version += 1
    this.looked = looks(newest)
    if (newest?.id !== before?.id) this.drawing = false
    this.shown = newest
    this.seen ||= newest !== null
    if (this.kept) this.out = newest?.id ?? null
  }
}

export const captureReview = new CaptureReview(new CaptureApi(client), app, toasts)
