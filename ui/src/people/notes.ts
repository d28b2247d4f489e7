/** Notes that two people change at once. */

/**
 * Return the notes to save, with what someone else wrote meanwhile.
 *
 * @param before as they were when typing began
 * @param typed as they were typed
 * @param now as they are stored
 */
export function withBoth(before: string, typed: string, now: string): string {
  if (now === before || now === typed || now === '') return typed
  const added = typed.startsWith(before) ? typed.slice(before.length).trim() : typed
  return added === '' ? now : `${now.trimEnd()}\n${added}`
}
