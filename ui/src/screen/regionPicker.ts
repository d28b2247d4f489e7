/**
 * Selects a region on a still picture of the screen. The window's fragment is pick/frame/monitor/x/y/language, where x and y are the position of its
 * monitor; an empty fragment clears the page. The picture can be loaded once. A region may span several monitors: the page that it began on tells the
 * others which part they show.
 */

import { en, keys, zh } from 'virtual:texts/picker'

import { session } from '../api/pageSession'
import { boxBetween, boxFrame, regionOf, steppedBox, type Frame, type Shown, type PixelSize } from './dragBox'

interface Pick {
  readonly id: string
  readonly monitor: number
  readonly x: number
  readonly y: number
}

/** What a page tells the others of the same choice. */
interface Told {
  readonly id: string
  readonly region: Frame | null
}

const image = document.querySelector('img') as HTMLImageElement
const part = (id: string): HTMLElement => document.getElementById(id) as HTMLElement
const [veil, border, size, words] = [part('veil'), part('frame'), part('size'), part('words')]
// Less than this to any side was a click, or a slip along a line, which chooses nothing.
const CLICK = 4
const STEPS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

let pick: Pick | null = null
let frame: Frame | null = null
let from: readonly [number, number] | null = null

const page = (): PixelSize => ({ width: innerWidth, height: innerHeight })
const shown = (): Shown => ({ x: pick?.x ?? 0, y: pick?.y ?? 0, width: image.naturalWidth, height: image.naturalHeight, page: page() })
const others = new BroadcastChannel('picker')

function begin(): void {
  const [id, word, monitor, x, y, language] = location.hash.slice(1).split('/')
  show(null)
  from = null
  if (!id || !word) {
    pick = null
    image.removeAttribute('src')
    return
  }
  const mine: Pick = { id, monitor: Number(monitor), x: Number(x), y: Number(y) }
  pick = mine
  speak(language ?? 'en')
  // Not `decode()`: in a window that is not seen yet it never comes to an end.
  image.onload = () => tell(mine, { step: 'ready' })
  image.onerror = () => tell(mine, { step: 'cancelled' })
  void session.signedIn().then(() => {
    if (pick === mine) image.src = session.address(`/api/captures/frames/${word}`)
  })
}

function speak(language: string): void {
  const texts = new Map(keys.split('\n').map((key, line) => [key, (language === 'zh-CN' ? zh : en).split('\n')[line] ?? '']))
  const [hint, help] = words.querySelectorAll('p')
  document.documentElement.lang = language
  if (hint) hint.textContent = texts.get('picker.hint') ?? ''
  if (help) help.textContent = texts.get('picker.keys') ?? ''
  image.alt = texts.get('picker.image') ?? ''
}

/** The answer doesn't matter: if the agent is gone, so is this window. */
function tell(to: Pick, step: { step: 'ready' | 'chosen' | 'cancelled'; region?: string | null }): void {
  const body = JSON.stringify({ ...step, monitor: to.monitor })
  session.ask(`/api/captures/picks/${to.id}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(() => undefined)
}

function draw(next: Frame | null): void {
  show(next)
  if (pick) others.postMessage({ id: pick.id, region: next && regionOf(next, shown()) } satisfies Told)
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
  const { width = 0, height = 0 } = regionOf(next, shown()) ?? {}
  size.textContent = `${width} × ${height}`
}

function take(chosen: Frame | null): void {
  const region = chosen && regionOf(chosen, shown())
  if (pick && (region || !chosen)) tell(pick, { step: 'chosen', region: region && [region.x, region.y, region.width, region.height].join() })
}

others.onmessage = ({ data: { id, region } }: MessageEvent<Told>) => {
  if (id !== pick?.id || from) return
  show(region && boxFrame(region, shown()))
  words.hidden = region !== null
}

addEventListener('hashchange', begin)

addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || !pick) return
  from = [event.clientX, event.clientY]
  document.documentElement.setPointerCapture(event.pointerId)
})

addEventListener('pointermove', (event) => {
  if (from) draw(boxBetween(...from, event.clientX, event.clientY))
})

addEventListener('pointerup', (event) => {
  if (!from) return
  const chosen = boxBetween(...from, event.clientX, event.clientY)
  from = null
  if (Math.min(chosen.width, chosen.height) < CLICK) draw(null)
  else take(chosen)
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
    draw(steppedBox(frame, step[0] * far, step[1] * far, event.shiftKey, page()))
  } else if (event.key === 'Enter') take(frame)
  else if (event.key === 'Escape') tell(pick, { step: 'cancelled' })
  else return
  event.preventDefault()
})

begin()
