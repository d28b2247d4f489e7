import { composes } from './inputMethod'

/** Tells whether a sheet, dialog, menu or list lies over the page and takes the keys. */
export function hasOverlay(): boolean {
  return document.querySelector('[role=dialog], [role=alertdialog], [role=menu], .menu') !== null
}

/** Tells whether Escape may leave the page: nothing lies over it, nothing else took the key, and no text that was typed would be lost. */
export function leaves(event: KeyboardEvent): boolean {
  const { target } = event
  const typed = (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) && target.type !== 'checkbox' && target.value !== ''
  return event.key === 'Escape' && !event.defaultPrevented && !composes(event) && !typed && !hasOverlay()
}
