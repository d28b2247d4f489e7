/** Moves the focus when the element that had it is removed. */

import { tick } from 'svelte'

/** Once the page shows what was done: from that place, if the keyboard is nowhere by then. */
export async function regain(place: () => HTMLElement | null | undefined): Promise<void> {
  await tick()
  if (document.activeElement === document.body) place()?.focus({ preventScroll: true })
}

const CONTROL = 'button, a[href], input, select, textarea'

/** An attachment of a list: when the row that had the focus is removed, the row in its place has it, or what the list is in. */
export function keepFocus(list: HTMLElement): () => void {
  let row: Element | undefined
  let index = -1
  const note = ({ target }: FocusEvent): void => {
    index = [...list.children].findIndex((each) => each.contains(target as Node))
    row = list.children[index]
  }
  const removals = new MutationObserver(() => {
    if (row === undefined || row.isConnected) return
    row = undefined
    const places = [list.children[index] ?? list.lastElementChild, list.closest('section, article')]
    const next = places.map((place) => place?.querySelector<HTMLElement>(CONTROL)).find(Boolean)
    void regain(() => next ?? list.closest<HTMLElement>('[tabindex="-1"]'))
  })
  list.addEventListener('focusin', note)
  removals.observe(list, { childList: true })
  return () => {
    list.removeEventListener('focusin', note)
    removals.disconnect()
  }
}
