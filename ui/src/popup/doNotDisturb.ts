/** Fewer popups: none for a while, none until the burst is done, none of a folder, or no burst at all. */

import { SettingsApi } from '../api/settingsApi'
import { app, client, type AppState } from '../lib/appState.svelte'
import { toasts, type Toasts } from '../lib/toasts.svelte'

export class DoNotDisturb {
  constructor(
    private readonly api: Pick<SettingsApi, 'quiet' | 'quietUntilDone' | 'cancelBurst' | 'changeFolder'>,
    private readonly app: Pick<AppState, 'act' | 't' | 'status' | 'rescan'>,
    private readonly toasts: Pick<Toasts, 'show'>,
  ) {}

  /** For so many minutes; null ends it. */
  start = (minutes: number | null): Promise<boolean> => this.app.act(() => this.api.quiet(minutes))

  /** Until the burst in progress is done. */
  async startUntilDone(): Promise<void> {
    if (await this.app.act(this.api.quietUntilDone)) this.toasts.show(this.app.t('ui.popup.quiet_until_done'))
  }

  /** Stops, or allows again, popups about a folder's photos. */
  async mute({ path, name }: { readonly path: string; readonly name: string }, muted: boolean): Promise<void> {
    if (!(await this.app.act(() => this.api.changeFolder(path, { muted })))) return
    const text = this.app.t(muted ? 'ui.popup.folder_muted' : 'ui.popup.folder_unmuted', { name })
    this.toasts.show(text, () => this.app.act(() => this.api.changeFolder(path, { muted: !muted })))
  }

  /** Drops the photos that wait; undo scans them again. */
  async cancelBurst(): Promise<void> {
    const count = this.app.status?.queued ?? 0
    if (await this.app.act(this.api.cancelBurst)) this.toasts.show(this.app.t('ui.popup.cancelled', { count }), this.app.rescan)
  }
}

/** Minutes until eight tomorrow morning, or this morning if it is not yet four. */
export function minutesUntilMorning(now: Date): number {
  const morning = new Date(now)
  morning.setHours(8, 0, 0, 0)
  if (now.getHours() >= 4) morning.setDate(morning.getDate() + 1)
  return Math.max(1, Math.ceil((morning.getTime() - now.getTime()) / 60_000))
}

export const doNotDisturb = new DoNotDisturb(new SettingsApi(client), app, toasts)
