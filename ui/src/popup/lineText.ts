import type { AppState } from '../lib/appState.svelte'
import { ago } from '../lib/format'
import type { Line } from './card'

/** A card's line in the user's language. */
export function lineText(line: Line, app: Pick<AppState, 't' | 'now' | 'language'>): string {
  const { t } = app
  if ('key' in line) return t(line.key, line.params)
  if ('words' in line) return line.words
  if ('cause' in line) return t('ui.sentences', { cause: line.cause, remedy: line.remedy })
  if ('list' in line) return line.list.map((part) => lineText(part, app)).join(t('ui.list_separator'))
  const when = ago(line.ago, app.now, app.language, t)
  return line.folder === undefined ? when : t('ui.where_when', { folder: line.folder, when })
}
