/** The state of watching the screen: shows each of its messages once. */

import { WatchApi } from '../api/watchApi'
import { app, client, type AppState } from '../lib/appState.svelte'
import { toasts, type Toasts } from '../lib/toasts.svelte'

/** A window that opens tells what was said just before: it may have been opened for that. */
const FRESH_MS = 30_000

export class ScreenWatch {
  /** what the status said last, and the number of what was told last */
  private count = 0
  private told = 0

  constructor(
    readonly api: Pick<WatchApi, 'read' | 'stop' | 'snooze'>,
    private readonly app: Pick<AppState, 'act' | 'read'>,
    private readonly toasts: Pick<Toasts, 'show'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** So much was said since the agent began; a smaller number is another agent's. */
  async hear(count: number): Promise<void> {
    if (count < this.count) this.told = 0
    this.count = count
    if (count <= this.told) return
    await this.app.read(async () => {
      const { said } = await this.api.read()
      const news = said.filter(({ number }) => number > this.told)
      this.told = Math.max(count, news.at(-1)?.number ?? 0)
      for (const { at, text } of news) if (this.now() - Date.parse(at) < FRESH_MS) this.toasts.show(text)
    })
  }

  stop = (): Promise<boolean> => this.app.act(this.api.stop)
  snooze = (minutes: number | null): Promise<boolean> => this.app.act(() => this.api.snooze(minutes))
}

export const screenWatch = new ScreenWatch(new WatchApi(client), app, toasts)
