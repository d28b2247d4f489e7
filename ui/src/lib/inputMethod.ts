/** Tells whether a key belongs to an input method, where Enter and Escape only end a word. Safari says so of the last key by its code alone. */
export function composes({ isComposing, keyCode }: Pick<KeyboardEvent, 'isComposing' | 'keyCode'>): boolean {
  return isComposing || keyCode === 229
}
