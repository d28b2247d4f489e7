/** Starts the program: `/popup` is the small window, everything else the page for a browser. */

import { mount } from 'svelte'

import './tokens.css'
import './base.css'
import App from './App.svelte'
import { routeOf } from './lib/route'
import { library } from './library.svelte'
import { app } from './state.svelte'

function desktop(agent: string): string {
  if (agent.includes('Windows')) return 'windows'
  return agent.includes('Mac OS') ? 'macos' : 'linux'
}

const target = document.getElementById('app')
if (target === null) throw new Error('index.html has no #app')
document.documentElement.dataset['os'] = desktop(navigator.userAgent)
app.start()
// On the way while the page is put up.
if (!location.pathname.startsWith('/popup') && routeOf(location.hash).page === 'photos') void library.read()
mount(App, { target })
