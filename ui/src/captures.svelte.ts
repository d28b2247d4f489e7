/** The newest capture of the screen that is open for review, and what is done with it. */

import { CaptureApi } from './api/capture'
import { ApiError } from './api/client'
import type { CaptureChange, CaptureOut } from './api/types'
import { app, client, type AppState } from './state.svelte'
import { toasts, type Toasts } from './toasts.svelte'

const looks = (one: CaptureOut | null): string => JSON.stringify(one && [one.id, one.faces, one.drawn, one.style])

export class CaptureReview {
  /** null if there is none, or none is known yet */
  shown = $state.raw<CaptureOut | null>(null)
  /** grows with every other look of the picture */
  version = $state(0)
  /** areas are being drawn on it */
  drawing = $state(false)
  /** id of the last one that was copied or saved, whatever was changed of it since */
  private out = $state<string | null>(null)

  readonly kept = $derived(this.shown !== null && (this.shown.copied || this.shown.path != null))
  readonly changed = $derived(this.shown !== null && !this.kept && this.shown.id === this.out)

  constructor(
    private readonly api: CaptureApi,
    private readonly app: Pick<AppState, 'act' | 'read' | 't'>,
    private readonly toasts: Pick<Toasts, 'show'>,
  ) {}

  read = (): Promise<void> => this.app.read(async () => this.take((await this.api.open()).items))

  /** There is none any more: says so, unless it was discarded here. */
  async leave(): Promise<void> {
    await this.read()
    this.shown = null
  }

  change = (change: CaptureChange): Promise<void> => this.act((id) => this.api.change(id, change))
  copy = (): Promise<void> => this.act(this.api.copy)
  save = (): Promise<void> => this.act(this.api.save)
  discard = (): Promise<void> => this.act((id) => this.api.discard(id).then(() => (this.shown = null)))

  private async act(call: (id: string) => Promise<unknown>): Promise<void> {
    const id = this.shown?.id
    if (id === undefined) return
    await this.app.act(async () => {
      await call(id).catch((error: unknown) => {
        if (!(error instanceof ApiError && error.status === 404)) throw error // else it is gone, and is missed in the list
      })
    })
    await this.read()
  }

  private take(items: readonly CaptureOut[]): void {
    const before = this.shown
    if (before !== null && !items.some(({ id }) => id === before.id)) this.toasts.show(this.app.t('cover_page.capture.gone'))
    const newest = items.at(-1) ?? null
    if (looks(newest) !== looks(before)) this.version += 1
    this.shown = newest
    if (this.kept) this.out = newest?.id ?? null
  }
}

export const captures = new CaptureReview(new CaptureApi(client), app, toasts)
