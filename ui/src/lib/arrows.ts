/** Arrow keys on a page that has just opened: they move the focus into its list, or scroll a page without one. */

const SCROLLED_PX = 60

/** Whether no element uses an arrow key yet: menus, dialogs and fields handle it themselves. */
export function unclaimed(event: KeyboardEvent, page: HTMLElement): boolean {
  const { key, target, defaultPrevented, ctrlKey, metaKey, altKey, shiftKey } = event
  if (!key.startsWith('Arrow') || defaultPrevented || ctrlKey || metaKey || altKey || shiftKey) return false
  return target === page || target === document.body
}

/** Takes the key to the page's own list, marked `data-arrows`, or to what scrolls. */
export function enter(event: KeyboardEvent, page: HTMLElement): void {
  const list = page.querySelector<HTMLElement>('[data-arrows]')
  if (list?.matches('[tabindex]')) {
    list.focus({ preventScroll: true })
    list.dispatchEvent(new KeyboardEvent('keydown', { key: event.key, bubbles: true, cancelable: true }))
    return
  }
  const first = list?.querySelector<HTMLElement>('a, button')
  if (first) return first.focus()
  const by = { ArrowDown: SCROLLED_PX, ArrowUp: -SCROLLED_PX }[event.key]
  if (by !== undefined) scrollerOf(page)?.scrollBy({ top: by })
}

function scrollerOf(page: HTMLElement): HTMLElement | undefined {
  return [...page.querySelectorAll<HTMLElement>('*')].find((part) => part.scrollHeight > part.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(part).overflowY))
}
