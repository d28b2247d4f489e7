/** Calls about settings, watched folders, onboarding and do not disturb. */

import type { Client } from './client'
import type { Estimate, FirstRun, FolderRemoved, FoundServersOut, JoiningOut, Sessions, SettingGroup, SettingOut, SettingsOut, TakenBack, TeamOut, TeamReceipt, WatchedFolder, WelcomeChoices } from './types'

export type { Estimate, FirstRun, SettingGroup, SettingsOut, WatchedFolder, WelcomeChoices }

export type Setting = SettingOut
export type Value = Setting['value']

export type FolderChange = Partial<Omit<WatchedFolder, 'path' | 'name'>>

export class SettingsApi {
  constructor(private readonly client: Pick<Client, 'request' | 'lines'>) {}

  read = (): Promise<SettingsOut> => this.client.request('GET', '/api/settings')
  set = (key: string, value: Value): Promise<Setting> => this.client.request('PUT', `/api/settings/${key}`, { value })
  reset = (key: string): Promise<Setting> => this.client.request('DELETE', `/api/settings/${key}`)
  check = (key: string, value: Value): Promise<void> => this.client.request('POST', `/api/settings/${key}/check`, { value })

  addFolder = (path: string, switches: FolderChange = {}): Promise<void> => this.client.request('POST', '/api/folders', { ...switches, path })
  changeFolder = (path: string, change: FolderChange): Promise<void> => this.client.request('PATCH', '/api/folders', { path, ...change })
  checkFolder = (path: string, change: FolderChange): Promise<void> => this.client.request('POST', '/api/folders/check', { path, ...change })
  removeFolder = (path: string): Promise<FolderRemoved> => this.client.request('DELETE', `/api/folders?path=${encodeURIComponent(path)}`)
  /** What a folder holds, again and again while it is counted, until the signal is aborted. */
  estimates = (path: string, signal: AbortSignal): AsyncGenerator<Estimate> => this.client.lines('/api/folders/estimate', { path }, signal)

  firstRun = (): Promise<FirstRun> => this.client.request('GET', '/api/first-run')
  /** What was chosen so far. */
  keepFirstRun = (chosen: WelcomeChoices): Promise<void> => this.client.request('PUT', '/api/first-run', chosen)
  firstRunDone = (): Promise<void> => this.client.request('POST', '/api/first-run/done')
  /** Browsers that are signed in. */
  sessions = (): Promise<Sessions> => this.client.request('GET', '/api/sessions')
  /** All for null, this page included. */
  endSessions = (number: number | null): Promise<void> => this.client.request('DELETE', `/api/sessions${number === null ? '' : `/${number}`}`)
  /** The team that this computer joined. */
  team = (): Promise<TeamOut> => this.client.request('GET', '/api/team')
  /** Servers that announce themselves in the local network; the answer takes some seconds. */
  teamServers = (): Promise<FoundServersOut> => this.client.request('GET', '/api/team/servers', undefined, FIND_LIMIT_MS)
  joinTeam = (address: string): Promise<JoiningOut> => this.client.request('POST', '/api/team/join', { address }, JOIN_LIMIT_MS)
  /** Follow the joined server at another address. */
  moveTeam = (address: string): Promise<void> => this.client.request('POST', '/api/team/address', { address }, JOIN_LIMIT_MS)
  cancelJoining = (): Promise<void> => this.client.request('DELETE', '/api/team/join')
  settleName = (uid: string, keep: 'mine' | 'theirs'): Promise<void> => this.client.request('POST', `/api/team/conflicts/${uid}`, { keep })
  undoCorrection = (token: string): Promise<void> => this.client.request('POST', '/api/undo', { undo: token })
  /** Libraries of the server that this computer's photos can go to. */
  teamLibraries = (): Promise<readonly string[]> => this.client.request('GET', '/api/team/libraries')
  takeBack = (): Promise<TakenBack> => this.client.request('POST', '/api/team/take-back')
  retryUploads = (): Promise<void> => this.client.request('POST', '/api/team/uploads/retry')
  /** With `remove`, the server deletes what this computer sent. */
  leaveTeam = (remove: boolean): Promise<TeamReceipt> => this.client.request('POST', '/api/team/leave', { remove }, LEAVE_LIMIT_MS)
  recoveryCode = async (): Promise<string> => (await this.client.request<{ code: string }>('GET', '/api/recovery-code')).code

  /** No popups for so many minutes; null ends that. */
  quiet = (minutes: number | null): Promise<void> => this.client.request('POST', '/api/quiet', { minutes })
  /** No popups until the burst that is under way is done. */
  quietUntilDone = (): Promise<void> => this.client.request('POST', '/api/quiet', { minutes: null, until_done: true })
  cancelBurst = (): Promise<void> => this.client.request('POST', '/api/burst/cancel')
}

/** The server is asked on the way. */
const JOIN_LIMIT_MS = 40_000
const FIND_LIMIT_MS = 40_000
/** The library's file is rewritten before it answers. */
const LEAVE_LIMIT_MS = 150_000
