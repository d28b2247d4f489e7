/** Single-key shortcuts such as Y or /. They are off while the user types, and if the setting says so. */

import { app } from './appState.svelte'

const TYPED_INTO = 'input, textarea, select, [contenteditable], [role=spinbutton]'

/** Whether they are switched on. */
export const letterKeysOn = (): boolean => app.status?.letter_keys ?? true

/** The sign that was pressed, as a small letter; null if it was no command. */
export function letterKey({ target, key, ctrlKey, metaKey, altKey }: KeyboardEvent): string | null {
  const typing = target instanceof Element && target.matches(TYPED_INTO)
  return typing || key.length !== 1 || ctrlKey || metaKey || altKey || !letterKeysOn() ? null : key.toLowerCase()
}

/** A key as it is told beside what it does; undefined if it does nothing now. */
export const shortcut = (key: string): string | undefined => (letterKeysOn() || !/^[A-Z?/]$/.test(key) ? key : undefined)
