/** The zoom of a picture, controlled by wheel, double click, drag and keys. */

import type { Attachment } from 'svelte/attachments'

import type { Rect, Size } from './geometry'
import { moved, nearer, showing, STEP, turned, WHOLE, zoomed, type Point, type Zoom } from './zoom'

/** A hand that moved less than this has clicked. */
const SLIP_PX = 4
const DOUBLE = 2.5
const ARROW_PX = 80
const ARROWS: Readonly<Record<string, Point>> = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }

export class ZoomState {
  zoom = $state.raw<Zoom>(WHOLE)
  dragging = $state(false)
  readonly scale = $derived(this.zoom.scale)
  readonly near = $derived(this.scale > 1)
  /** where the whole picture lies, and in what; set by the component that shows it */
  private fit: Rect = { x: 0, y: 0, width: 1, height: 1 }
  private view: Size = { width: 1, height: 1 }

  /** Where the picture lies now. */
  place(fit: Rect, view: Size): Rect {
    this.fit = fit
    this.view = view
    return zoomed(fit, view, this.zoom)
  }

  by(factor: number, at: Point = [this.view.width / 2, this.view.height / 2]): void {
    this.zoom = nearer(this.zoom, factor, at, this.fit, this.view)
  }

  whole = (): void => void (this.zoom = WHOLE)
  closer = (): void => this.by(STEP)
  further = (): void => this.by(1 / STEP)

  /** Brings a part of the picture into view, as parts of its sides. */
  show(part: Rect): void {
    this.zoom = showing(this.zoom, part, this.fit, this.view)
  }

  private move(by: Point): void {
    this.zoom = moved(this.zoom, by, this.fit, this.view)
  }

  /** Takes a key: + and - and 0, and Shift with an arrow to move. False if it is none of these. */
  key({ key, shiftKey }: KeyboardEvent): boolean {
    const arrow = shiftKey && this.near ? ARROWS[key] : undefined
    if (arrow) this.move([arrow[0] * ARROW_PX, arrow[1] * ARROW_PX])
    else if (key === '+' || key === '=') this.closer()
    else if (key === '-' || key === '_') this.further()
    else if (key === '0') this.whole()
    else return false
    return true
  }

  /** What the pointer does on the element that shows the picture. */
  readonly gestures: Attachment<HTMLElement> = (element) => {
    let from: { readonly id: number; readonly at: Point } | null = null
    const at = (event: MouseEvent): Point => {
      const around = element.getBoundingClientRect()
      return [event.clientX - around.left, event.clientY - around.top]
    }
    const listeners: { readonly [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void } = {
      wheel: (event) => {
        event.preventDefault()
        this.by(turned(event), at(event))
      },
      dblclick: (event) => {
        if ((event.target as Element).closest('button')) return
        if (this.near) this.whole()
        else this.by(DOUBLE, at(event))
      },
      pointerdown: (event) => {
        // What is drawn on leaves the photo below where it is.
        if (event.button === 0 && this.near && !(event.target as Element).closest('[data-drags]')) from = { id: event.pointerId, at: at(event) }
      },
      pointermove: (event) => {
        if (from?.id !== event.pointerId) return
        const now = at(event)
        const by: Point = [now[0] - from.at[0], now[1] - from.at[1]]
        if (!this.dragging && Math.hypot(...by) < SLIP_PX) return
        // Captured, the click that ends it is for no button below.
        if (!this.dragging) element.setPointerCapture(event.pointerId)
        this.dragging = true
        from = { ...from, at: now }
        this.move(by)
      },
      pointerup: () => end(),
      pointercancel: () => end(),
      // A button that has the keyboard would be scrolled to, and the picture with it.
      scroll: () => element.scrollTo(0, 0),
    }
    const end = (): void => {
      from = null
      this.dragging = false
    }
    const all = Object.entries(listeners) as [string, EventListener][]
    for (const [name, listener] of all) element.addEventListener(name, listener, { passive: false })
    return () => {
      for (const [name, listener] of all) element.removeEventListener(name, listener)
    }
  }
}
