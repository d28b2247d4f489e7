/** The folders that a new user chooses: counted while one looks, none of them twice. */

import type { Estimate, SettingsApi } from './api/settings'
import { folderName, isInside, total } from './lib/settings'
import type { AppState } from './state.svelte'

export interface Chosen {
  readonly path: string
  /** as far as it was counted */
  readonly estimate: Estimate
}

export class ChosenFolders {
  list = $state.raw<readonly Chosen[]>([])
  /** what became of the last choice, if it needs a word */
  note = $state('')
  sum = $derived(total(this.list.map(({ estimate }) => estimate)))
  private readonly counts = new Map<string, AbortController>()

  constructor(
    private readonly api: Pick<SettingsApi, 'estimates'>,
    private readonly app: Pick<AppState, 'act' | 't'>,
  ) {}

  /** Done when the folder was found and its count began. False if it can't be read: why is the app's failure. */
  async add(path: string): Promise<boolean> {
    this.note = ''
    const counting = new AbortController()
    const estimates = this.api.estimates(path, counting.signal)
    let first: Estimate | undefined
    const worked = await this.app.act(async () => void (first = (await estimates.next()).value as Estimate | undefined))
    if (!worked || first === undefined) return false
    const found = first
    const around = this.list.find((known) => isInside(found.path, known.path))
    if (around) {
      const names = { name: folderName(found.path), around: folderName(around.path) }
      this.note = this.app.t(found.path === around.path ? 'ui.first_run.known' : 'ui.first_run.inside', names)
      counting.abort()
      return true
    }
    const within = this.list.filter((known) => isInside(known.path, found.path))
    if (within.length > 0) this.note = this.app.t('ui.first_run.contains', { name: folderName(found.path) })
    for (const each of within) this.remove(each.path)
    this.counts.set(found.path, counting)
    this.list = [...this.list, { path: found.path, estimate: found }]
    void this.count(found.path, estimates, counting.signal)
    return true
  }

  remove(path: string): void {
    this.counts.get(path)?.abort()
    this.counts.delete(path)
    this.list = this.list.filter((folder) => folder.path !== path)
  }

  /** Counts no more; what was counted stays. */
  stop = (): void => this.counts.forEach((counting) => counting.abort())

  private async count(path: string, estimates: AsyncGenerator<Estimate>, signal: AbortSignal): Promise<void> {
    const last = async (): Promise<void> => {
      for await (const estimate of estimates) this.list = this.list.map((folder) => (folder.path === path ? { path, estimate } : folder))
    }
    // Half a count is as good as none, and the folder is as well chosen.
    await last().catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
}
