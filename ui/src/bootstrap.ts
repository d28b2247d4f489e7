/** Mounts a page and follows the agent's events. */

import { mount, type Component } from 'svelte'

import './tokens.css'
import './base.css'
import App from './App.svelte'
import { connectChunks } from './chunks'
import { isRemote } from './lib/remote'
import { app } from './lib/appState.svelte'
import { typedTexts } from './lib/typedText'

function desktop(agent: string): string {
  if (agent.includes('Windows')) return 'windows'
  return agent.includes('Mac OS') ? 'macos' : 'linux'
}

/** @param unseen follow the agent while the page is hidden, too, so that it is up to date when it is shown */
export function bootstrap(page: Component, unseen = false): void {
  const target = document.getElementById('app')
  if (target === null) throw new Error('the document has no #app')
  document.documentElement.dataset['os'] = desktop(navigator.userAgent)
  connectChunks()
  if (isRemote()) typedTexts.watch(document)
  app.start(unseen ? null : document)
  target.replaceChildren() // the sign that it is loading
  mount(App, { target, props: { page } })
}
