/** The onboarding in popup and browser: folders, counted meanwhile, and recognition. Interrupted, it continues where it was. */

import type { Estimate, FirstRun, SettingsApi, WelcomeChoices } from '../api/settingsApi'
import { app, type AppState } from '../lib/appState.svelte'
import { folderName, isInside } from '../lib/folders'
import { settings, type SettingsState } from './settingsState.svelte'
import { total } from './settingValues'

export interface Chosen {
  readonly path: string
  /** as far as it was counted */
  readonly estimate: Estimate
}

export class ChosenFolders {
  list = $state.raw<readonly Chosen[]>([])
  /** what the user may mean, and has not chosen */
  offered = $state.raw<readonly Chosen[]>([])
  /** what became of the last choice, if it needs a word */
  note = $state('')
  sum = $derived(total(this.list.map(({ estimate }) => estimate)))
  private readonly counts = new Map<string, AbortController>()
  private readonly suggested = new Set<string>()

  constructor(
    private readonly api: Pick<SettingsApi, 'estimates'>,
    private readonly app: Pick<AppState, 'act' | 't'>,
  ) {}

  /** Done when the folder was found and its count began. False if it can't be read: why is the app's failure. */
  async add(path: string): Promise<boolean> {
    this.note = ''
    const begun = this.offered.find((known) => known.path === path) ?? (await this.begin(path))
    if (begun === null) return false
    const around = this.list.find((known) => isInside(begun.path, known.path))
    if (around) {
      const names = { name: folderName(begun.path), around: folderName(around.path) }
      this.note = this.app.t(begun.path === around.path ? 'ui.first_run.known' : 'ui.first_run.inside', names)
      return true
    }
    const within = this.list.filter((known) => isInside(known.path, begun.path))
    if (within.length > 0) this.note = this.app.t('ui.first_run.contains', { name: folderName(begun.path) })
    for (const each of within) this.remove(each.path)
    this.offered = this.offered.filter((known) => known.path !== begun.path)
    this.list = [...this.list, begun]
    return true
  }

  /** What can't be read is not offered. */
  async offer(path: string): Promise<void> {
    this.suggested.add(path)
    if ([...this.list, ...this.offered].some((known) => isInside(path, known.path))) return
    const begun = await this.begin(path)
    if (begun && !this.list.some((known) => isInside(path, known.path))) this.offered = [...this.offered, begun]
  }

  /** A suggestion is offered again, counted as far as it was. */
  remove(path: string): void {
    const left = this.list.find((folder) => folder.path === path)
    this.list = this.list.filter((folder) => folder.path !== path)
    if (left && this.suggested.has(path)) this.offered = [...this.offered, left]
    else this.counts.get(path)?.abort()
  }

  /** Counts no more; what was counted stays. */
  stop = (): void => this.counts.forEach((counting) => counting.abort())

  /** Finds a folder and counts it from then on; null if it can't be read. */
  private async begin(path: string): Promise<Chosen | null> {
    const counting = new AbortController()
    const estimates = this.api.estimates(path, counting.signal)
    let first: Estimate | undefined
    await this.app.act(async () => void (first = (await estimates.next()).value as Estimate | undefined))
    if (first === undefined) return null
    const begun = { path: first.path, estimate: first }
    if (this.list.some((known) => isInside(begun.path, known.path))) counting.abort()
    else {
      this.counts.set(begun.path, counting)
      void this.count(begun.path, estimates, counting.signal)
    }
    return begun
  }

  private async count(path: string, estimates: AsyncGenerator<Estimate>, signal: AbortSignal): Promise<void> {
    const counted = (folders: readonly Chosen[], estimate: Estimate): readonly Chosen[] =>
      folders.map((folder) => (folder.path === path ? { path, estimate } : folder))
    const last = async (): Promise<void> => {
      for await (const estimate of estimates) {
        this.list = counted(this.list, estimate)
        this.offered = counted(this.offered, estimate)
      }
    }
    // Half a count is as good as none, and the folder is as well chosen.
    await last().catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
}

/** Its pages in the popup; a browser shows the first two as one. */
export const STEPS = ['folders', 'reach', 'done'] as const
export type OnboardingStep = (typeof STEPS)[number]

export class Onboarding {
  step = $state<OnboardingStep>('folders')
  recognition = $state(false)
  busy = $state(false)
  /** `start` was called here: folders may be watched although a later step of it failed */
  private started = $state(false)
  readonly folders: ChosenFolders
  /** what there is to say against it is known, and what was begun before is here */
  ready = $state(false)
  private resuming: Promise<void> | null = null
  private kept = ''
  private told: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly settings: Pick<SettingsState, 'api' | 'save' | 'welcomeDone' | 'readFirstRun'>,
    private readonly app: Pick<AppState, 'act' | 't' | 'dismiss' | 'status'>,
  ) {
    this.folders = new ChosenFolders(settings.api, app)
  }

  /** What its last page is called: nothing is looked through where there is no photo yet. */
  get outcome(): string {
    return this.app.t((this.app.status?.images ?? 0) + this.folders.sum.images > 0 ? 'ui.first_run.ready' : 'ui.first_run.ready_empty')
  }

  /** Restores what was chosen before, and offers the suggested folders; once, however often it is shown. */
  resume(first: FirstRun): Promise<void> {
    this.resuming ??= this.takeUp(first)
    return this.resuming
  }

  private async takeUp({ chosen, suggested }: FirstRun): Promise<void> {
    this.recognition = chosen?.recognition ?? false
    for (const path of chosen?.folders ?? []) await this.folders.add(path)
    if (chosen?.step === 1 && this.folders.list.length > 0) this.step = 'reach'
    this.kept = JSON.stringify(this.choices())
    this.ready = true
    for (const path of suggested) await this.folders.offer(path)
    // The user did not ask for the suggestions, so errors about them are not shown.
    this.app.dismiss()
  }

  private choices(): WelcomeChoices {
    return { folders: this.folders.list.map(({ path }) => path), recognition: this.recognition, step: STEPS.indexOf(this.step) }
  }

  /** Has the agent keep the current choices, if they changed. */
  keep(): void {
    const choices = this.choices()
    const said = JSON.stringify(choices)
    if (!this.ready || this.busy || this.step === 'done' || said === this.kept) return
    this.kept = said
    // One after the other, or an older one might come last.
    this.told = this.told.then(() => this.settings.api.keepFirstRun(choices)).catch(() => undefined)
  }

  /** Another window has added the folders. */
  get finishedElsewhere(): boolean {
    return (this.app.status?.folders.length ?? 0) > 0 && this.step !== 'done' && !this.started
  }

  /** Puts into force what was chosen. What a failed attempt did already is done once. */
  async start(): Promise<void> {
    this.busy = true
    this.started = true
    this.folders.stop()
    let worked = !this.recognition || (await this.settings.save('recognition.enabled', true))
    for (const { path } of this.folders.list) worked = worked && (await this.app.act(() => this.settings.api.addFolder(path)))
    await this.told
    worked = worked && (await this.settings.welcomeDone())
    if (worked) {
      await this.settings.readFirstRun()
      this.step = 'done'
    }
    this.busy = false
  }
}

export const onboarding = new Onboarding(settings, app)
