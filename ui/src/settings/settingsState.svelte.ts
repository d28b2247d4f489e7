/** The settings' state: loaded whole, changed one by one, each change saved at once and undoable. */

import { ApiError } from '../api/client'
import { SettingsApi, type FirstRun, type FolderChange, type Setting, type SettingsOut, type Value, type WatchedFolder } from '../api/settingsApi'
import type { Problem } from '../api/types'
import { app, client, type AppState } from '../lib/appState.svelte'
import { folderName, watchedFolderOf } from '../lib/folders'
import type { Language } from '../lib/i18n'
import { Resource } from '../lib/resource.svelte'
import { serialQueue } from '../lib/serialQueue'
import { toasts, type Toasts } from '../lib/toasts.svelte'
import { replaced, same } from './settingValues'

export class SettingsState extends Resource<SettingsOut> {
  /** null until it is known */
  firstRun = $state.raw<FirstRun | null>(null)
  /** the language in which it was loaded */
  firstRunLanguage = $state<Language | null>(null)
  /** what the agent refused, by key; the value before stays in force */
  refused = $state.raw<ReadonlyMap<string, Problem>>(new Map())
  /** the last key that was saved */
  saved = $state<string | null>(null)
  private readonly inTurn = serialQueue()

  constructor(
    readonly api: SettingsApi,
    private readonly app: AppState,
    private readonly toasts: Toasts,
  ) {
    super(app)
  }

  setting(key: string): Setting | undefined {
    return this.value?.groups.flatMap((group) => group.settings).find((setting) => setting.key === key)
  }

  /** What was loaded before a change must not come after it. */
  override read(): Promise<void> {
    return this.inTurn(() => super.read())
  }

  protected override fetch(): Promise<SettingsOut> {
    return this.api.read()
  }

  readFirstRun = (): Promise<void> =>
    this.app.read(async () => {
      const { language } = this.app
      this.firstRun = await this.api.firstRun()
      this.firstRunLanguage = language
    })

  /** False if it was refused; why stands in `refused`. */
  async save(key: string, value: Value): Promise<boolean> {
    return this.settle(key, () => this.api.set(key, value))
  }

  async reset(key: string): Promise<void> {
    const before = this.setting(key)
    if (before === undefined || !(await this.settle(key, () => this.api.reset(key)))) return
    this.toasts.show(this.app.t('ui.settings.was_reset', { title: before.title }), () => this.save(key, before.value))
  }

  /** What the agent says against a value, without saving it; null if nothing. */
  check = (key: string, value: Value): Promise<Problem | null> => this.against(() => this.api.check(key, value))
  checkFolder = (path: string, change: FolderChange): Promise<Problem | null> => this.against(() => this.api.checkFolder(path, change))

  private async against(check: () => Promise<void>): Promise<Problem | null> {
    try {
      await check()
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) return error.problem
    }
    return null
  }

  private async settle(key: string, change: () => Promise<Setting>): Promise<boolean> {
    const worked = await this.doing(async () => {
      this.refuse(key, null)
      this.saved = null
      try {
        const setting = await change()
        if (this.value) this.value = { ...this.value, groups: replaced(this.value.groups, setting) }
        this.saved = key
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 422) throw error
        this.refuse(key, error.problem)
      }
    })
    return worked && !this.refused.has(key)
  }

  private doing = (change: () => Promise<void>): Promise<boolean> => this.inTurn(() => this.app.act(change))

  private refuse(key: string, problem: Problem | null): void {
    const refused = new Map(this.refused)
    if (problem) refused.set(key, problem)
    else refused.delete(key)
    this.refused = refused
  }

  async addFolder(path: string): Promise<boolean> {
    const before = this.value?.folders ?? []
    const worked = await this.doing(() => this.api.addFolder(path))
    if (!worked) return false
    await this.read()
    // The agent knows what was meant by `~/Pictures`, and whether it was watched before.
    const added = this.value?.folders.find((folder) => !before.some((known) => known.path === folder.path))
    if (added) this.sayAdded(added, before)
    else this.toasts.show(this.app.t('ui.settings.folder_known', { name: folderName(path) }))
    return true
  }

  private sayAdded({ path }: WatchedFolder, before: readonly WatchedFolder[]): void {
    const around = watchedFolderOf(path, before)
    const name = folderName(path)
    const text = around
      ? this.app.t('ui.settings.folder_added_inside', { name, around: folderName(around.path) })
      : this.app.t('ui.settings.folder_added', { name })
    this.toasts.show(text, async () => (await this.dropFolder(path)) !== null)
  }

  async changeFolder(path: string, change: FolderChange): Promise<boolean> {
    const worked = await this.doing(() => this.api.changeFolder(path, change))
    await this.read()
    return worked
  }

  async removeFolder(folder: WatchedFolder): Promise<void> {
    const count = await this.dropFolder(folder.path)
    if (count === null) return
    const name = folderName(folder.path)
    const text = count > 0 ? this.app.t('ui.settings.folder_removed_photos', { name, count }) : this.app.t('ui.settings.folder_removed', { name })
    this.toasts.show(text, () => this.bringBack(folder))
  }

  /** How many photos left the library with the folder; null if it did not work. */
  private async dropFolder(path: string): Promise<number | null> {
    let photos: number | null = null
    await this.doing(async () => void ({ photos } = await this.api.removeFolder(path)))
    await this.read()
    return photos
  }

  private async bringBack({ path, name: _, ...switches }: WatchedFolder): Promise<boolean> {
    // With its switches at once: scanned for a moment with the defaults, it would get face prints that the user does not want.
    const worked = await this.doing(() => this.api.addFolder(path, switches))
    await this.read()
    return worked
  }

  async welcomeDone(): Promise<boolean> {
    const worked = await this.app.act(this.api.firstRunDone)
    if (worked && this.firstRun) this.firstRun = { ...this.firstRun, needed: false }
    return worked
  }

  changed(setting: Setting): boolean {
    return setting.default !== null && !same(setting.value, setting.default)
  }
}

export const settings = new SettingsState(new SettingsApi(client), app, toasts)
