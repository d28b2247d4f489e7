/**
 * Chooses a region on a picture of the screen that stands still. The window's fragment says what for: pick/frame/monitor/language; an empty
 * one has the page forget what it showed. The picture can be had once.
 */

import { en, keys, zh } from 'virtual:texts/picker'

import { between, regionOf, stepped, type Frame, type Size } from './lib/region'

interface Pick {
  readonly id: string
  readonly monitor: number
}

const image = document.querySelector('img') as HTMLImageElement
const part = (id: string): HTMLElement => document.getElementById(id) as HTMLElement
const [veil, border, size, words] = [part('veil'), part('frame'), part('size'), part('words')]
// Less than this was a click, which chooses nothing.
const CLICK = 4
const STEPS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

let pick: Pick | null = null
let frame: Frame | null = null
let from: readonly [number, number] | null = null

const page = (): Size => ({ width: innerWidth, height: innerHeight })
const picture = (): Size => ({ width: image.naturalWidth, height: image.naturalHeight })

function begin(): void {
  const [id, word, monitor, language] = location.hash.slice(1).split('/')
  show(null)
  from = null
  if (!id || !word) {
    pick = null
    image.removeAttribute('src')
    return
  }
  const mine: Pick = { id, monitor: Number(monitor) }
  pick = mine
  speak(language ?? 'en')
  // Not `decode()`: in a window that is not seen yet it never comes to an end.
  image.onload = () => tell(mine, { step: 'ready' })
  image.onerror = () => tell(mine, { step: 'cancelled' })
  image.src = `/api/captures/frames/${word}`
}

function speak(language: string): void {
  const texts = new Map(keys.split('\n').map((key, line) => [key, (language === 'zh-CN' ? zh : en).split('\n')[line] ?? '']))
  const [hint, help] = words.querySelectorAll('p')
  document.documentElement.lang = language
  if (hint) hint.textContent = texts.get('picker.hint') ?? ''
  if (help) help.textContent = texts.get('picker.keys') ?? ''
  image.alt = texts.get('picker.image') ?? ''
}

/** Nobody waits for the answer: if the agent is gone, so is this window. */
function tell(to: Pick, step: { step: 'ready' | 'chosen' | 'cancelled'; region?: string | null }): void {
  const body = JSON.stringify({ ...step, monitor: to.monitor })
  fetch(`/api/captures/picks/${to.id}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(() => undefined)
}

function show(next: Frame | null): void {
  frame = next
  border.hidden = next === null
  veil.hidden = next !== null
  words.hidden = next !== null && from !== null
  if (next === null) return
  border.style.cssText = `left:${next.x}px;top:${next.y}px;width:${next.width}px;height:${next.height}px`
  // Inside, where there is no room above.
  size.style.inset = next.y < 32 ? '6px auto auto 6px' : ''
  const [, , w, h] = (regionOf(next, page(), picture()) ?? '0,0,0,0').split(',')
  size.textContent = `${w} × ${h}`
}

function take(region: string | null): void {
  if (pick) tell(pick, { step: 'chosen', region })
}

addEventListener('hashchange', begin)

addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || !pick) return
  from = [event.clientX, event.clientY]
  document.documentElement.setPointerCapture(event.pointerId)
})

addEventListener('pointermove', (event) => {
  if (from) show(between(...from, event.clientX, event.clientY, page()))
})

addEventListener('pointerup', (event) => {
  if (!from) return
  const chosen = between(...from, event.clientX, event.clientY, page())
  from = null
  if (Math.max(chosen.width, chosen.height) < CLICK) show(null)
  else take(regionOf(chosen, page(), picture()))
})

addEventListener('contextmenu', (event) => {
  event.preventDefault()
  if (pick) tell(pick, { step: 'cancelled' })
})

addEventListener('keydown', (event) => {
  if (!pick) return
  const step = STEPS[event.key]
  if (step) {
    const far = event.ctrlKey || event.metaKey ? 1 : 10
    show(stepped(frame, step[0] * far, step[1] * far, event.shiftKey, page()))
  } else if (event.key === 'Enter') take(frame && regionOf(frame, page(), picture()))
  else if (event.key === 'Escape') tell(pick, { step: 'cancelled' })
  else return
  event.preventDefault()
})

begin()
