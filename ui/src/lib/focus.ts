/** Moves the focus when the element that had it is removed. */

import { tick } from 'svelte'

/** Once the page shows what was done: from that place, if the keyboard is nowhere by then. */
export async function regain(place: () => HTMLElement | null | undefined): Promise<void> {
  await tick()
  if (document.activeElement === document.body) place()?.focus({ preventScroll: true })
}
