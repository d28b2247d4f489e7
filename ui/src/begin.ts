/** Puts a page into the document, and follows the agent from then on. */

import { mount, type Component } from 'svelte'

import './tokens.css'
import './base.css'
import App from './App.svelte'
import { app } from './state.svelte'

function desktop(agent: string): string {
  if (agent.includes('Windows')) return 'windows'
  return agent.includes('Mac OS') ? 'macos' : 'linux'
}

export function begin(page: Component): void {
  const target = document.getElementById('app')
  if (target === null) throw new Error('the document has no #app')
  document.documentElement.dataset['os'] = desktop(navigator.userAgent)
  app.start()
  mount(App, { target, props: { page } })
}
