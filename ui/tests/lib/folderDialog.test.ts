import { describe, expect, it } from 'vitest'

import { Client } from '../../src/api/client'
import { AppState } from '../../src/lib/appState.svelte'
import { FolderDialog } from '../../src/lib/folderDialog.svelte'

function world(status: number, body: unknown) {
  const client = new Client(() => Promise.resolve(new Response(JSON.stringify(body), { status })))
  const app = new AppState(client)
  return { app, dialog: new FolderDialog(client, app) }
}

describe('the folder dialog', () => {
  it('gives the path that was chosen, or none', async () => {
    expect(await world(200, { path: '/photos' }).dialog.choose()).toBe('/photos')
    expect(await world(200, { path: null }).dialog.choose()).toBeNull()
  })

  it('lets the path be typed where no dialog can be shown', async () => {
    const { app, dialog } = world(503, { code: 'desktop.no_dialog', cause: 'No dialog.', remedy: '' })
    expect(await dialog.choose()).toBeNull()
    expect(dialog.failed).toBe(true)
    expect(dialog.open).toBe(false)
    expect(app.failure?.code).toBe('desktop.no_dialog')
  })
})
