/** What is said of covered copies. */

import type { Doubtful } from '../../api/types'
import type { Texts } from '../../i18n'
import { byHand, type Mark } from '../../lib/cover'

const DOUBTS: Readonly<Record<Doubtful, string>> = {
  no_face: 'cover_page.doubt.no_face',
  small: 'cover_page.doubt.small',
  turned: 'cover_page.doubt.turned',
  low_score: 'cover_page.doubt.low_score',
  unsure: 'cover_page.doubt.unsure',
}

export function doubtWords(doubts: readonly Doubtful[], t: Texts): string {
  return doubts.map((doubt) => t(DOUBTS[doubt])).join(t('ui.list_separator'))
}

export function nameOf(mark: Mark, index: number, t: Texts): string {
  return t(byHand(mark) ? 'cover_page.area' : 'cover_page.face', { index: index + 1 })
}

/** "Face 2, covered, small". */
export function spoken(mark: Mark, index: number, t: Texts): string {
  return [nameOf(mark, index, t), t(mark.covered ? 'cover_page.covered' : 'cover_page.shown'), doubtWords(mark.doubts, t)].filter(Boolean).join(t('ui.list_separator'))
}
