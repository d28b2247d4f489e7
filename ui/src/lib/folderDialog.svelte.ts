/** The system's dialog for choosing a folder, which the agent opens. */

import type { Client } from '../api/client'
import { app, client, type AppState } from './appState.svelte'

export class FolderDialog {
  open = $state(false)
  /** No dialog came: the path is typed instead. */
  failed = $state(false)

  constructor(
    private readonly client: Pick<Client, 'chooseFolder'>,
    private readonly app: Pick<AppState, 'act'>,
  ) {}

  /** The path that was chosen; null if none was. */
  async choose(): Promise<string | null> {
    let path: string | null = null
    this.open = true
    const answered = await this.app.act(async () => void (path = await this.client.chooseFolder()))
    this.open = false
    if (!answered) this.failed = true
    return path
  }
}

export const folderDialog = new FolderDialog(client, app)
