/** Texts about covered copies. */

import type { Doubtful, RedactionBatchOut, Style } from '../api/types'
import { folderName } from '../lib/folders'
import type { Texts } from '../lib/i18n'
import { byHand, partly, type Region } from './regions'

const DOUBTS: Readonly<Record<Doubtful, string>> = {
  visible: 'cover_page.doubt.visible',
  no_face: 'cover_page.doubt.no_face',
  small: 'cover_page.doubt.small',
  turned: 'cover_page.doubt.turned',
  low_score: 'cover_page.doubt.low_score',
  unsure: 'cover_page.doubt.unsure',
  cut_off: 'cover_page.doubt.cut_off',
}

/** What the agent calls a kind of data that went, and what people do. */
const KINDS: Readonly<Record<string, string>> = {
  gps: 'cover_page.kind.location',
  exif: 'cover_page.kind.camera',
  'maker-note': 'cover_page.kind.camera',
  device: 'cover_page.kind.camera',
  xmp: 'cover_page.kind.words',
  iptc: 'cover_page.kind.words',
  comment: 'cover_page.kind.words',
  text: 'cover_page.kind.words',
  thumbnail: 'cover_page.kind.previews',
  preview: 'cover_page.kind.previews',
  pictures: 'cover_page.kind.pictures',
  people: 'cover_page.kind.people',
  history: 'cover_page.kind.history',
  alpha: 'cover_page.kind.transparency',
  depth: 'cover_page.kind.depth',
}

export function removedWords(kinds: readonly string[], t: Texts): string {
  return [...new Set(kinds.map((kind) => t(KINDS[kind] ?? 'cover_page.kind.other')))].join(t('ui.list_separator'))
}

export function doubtWords(doubts: readonly Doubtful[], t: Texts): string {
  return doubts.map((doubt) => t(DOUBTS[doubt])).join(t('ui.list_separator'))
}

const STYLES: Readonly<Record<Style, string>> = {
  solid: 'cover_page.style.solid',
  mosaic: 'cover_page.style.mosaic',
  blur: 'cover_page.style.blur',
  emoji: 'cover_page.style.emoji',
}

/** "Solid, everyone but Mei": how the copies of a batch are. */
export function batchWords({ style, keep, only, keep_consented }: Pick<RedactionBatchOut, 'style' | 'keep' | 'only' | 'keep_consented'>, t: Texts): string {
  const names = (people: readonly string[]): string => people.join(t('ui.list_separator'))
  const agreed = keep_consented ? t('cover_page.only_consented') : null
  const whom = agreed ?? (only ? t('cover_page.just', { names: names(only) }) : keep.length > 0 ? t('cover_page.all_but', { names: names(keep) }) : t('cover_page.everyone_covered'))
  return [t(STYLES[style]), whom].join(t('ui.clause_separator'))
}

/** "12 copies in holiday-safe"; of a rule the folder that it watches. */
export function batchName(batch: RedactionBatchOut, t: Texts): string {
  if (batch.folder !== null) return t('cover_page.of_folder', { name: folderName(batch.folder) })
  const count = batch.done + batch.needs_review + batch.planned + batch.failed + batch.stopped
  return batch.out == null ? t('cover_page.copies', { count }) : t('cover_page.copies_in', { count, folder: folderName(batch.out) })
}

/** @param person who it is, if that is known */
export function nameOf(mark: Region, index: number, person: string | null, t: Texts): string {
  return person ?? t(byHand(mark) ? 'cover_page.area' : 'cover_page.face', { index: index + 1 })
}

/** What becomes of it. */
export function stateWord(mark: Region, t: Texts): string {
  return t(!mark.covered ? 'cover_page.shown' : partly(mark) ? 'cover_page.partly' : 'cover_page.covered')
}

/** "Face 2, covered, small"; "Face 1, Mei, shown". */
export function spoken(mark: Region, index: number, person: string | null, t: Texts): string {
  return [nameOf(mark, index, null, t), person ?? '', stateWord(mark, t), doubtWords(mark.doubts, t)].filter(Boolean).join(t('ui.list_separator'))
}
