/** Who a face is, in words that say no more than is known. */

import type { FaceOut, ImageOut, PersonOut } from '../api/types'
import type { Texts } from '../i18n'

/** Whether a face asks the user for an answer; nothing is asked while recognition is off. */
export function asks(face: FaceOut, recognition: boolean): boolean {
  return recognition && (face.person === null || face.certainty === 'probable')
}

/** Text of a face's tag; null if there is nothing to say. */
export function tagOf(face: FaceOut, recognition: boolean, t: Texts): string | null {
  if (!recognition) return null
  if (face.person === null) return t('ui.people.who')
  return face.certainty === 'probable' ? t('ui.people.probably_name', { name: face.person }) : face.person
}

/** How sure a name is. */
export function certainty(face: FaceOut, t: Texts): string {
  switch (face.certainty) {
    case 'confirmed':
      return t('ui.people.confirmed')
    case 'certain':
      return t('ui.people.certain')
    case 'probable':
      return t('ui.people.probable', { agree: face.agree, references: face.references })
    case null:
      return t('ui.people.unnamed_face')
  }
}

/** A photo in one sentence, for those who hear it. */
export function describe(image: ImageOut, t: Texts): string {
  const names = [...new Set(image.faces.flatMap((face) => (face.person === null ? [] : [face.person])))]
  const faces = image.faces.length === 0 ? t('ui.no_face.title') : t('ui.faces', { count: image.faces.length })
  return names.length > 0
    ? t('ui.photo_alt_names', { name: image.name, faces, names: names.join(t('ui.list_separator')) })
    : t('ui.photo_alt', { name: image.name, faces })
}

/** So many people are offered for what was typed. */
const MOST_OFFERED = 5

/** The known people for what was typed, those seen most if nothing was: names that begin so, then names with a word that does, then those that hold it; each by how often they are seen. */
export function matches(people: readonly PersonOut[], typed: string): readonly PersonOut[] {
  const wanted = typed.trim().toLowerCase()
  if (wanted === '') return [...people].sort((a, b) => b.faces - a.faces).slice(0, MOST_OFFERED)
  const rank = ({ name }: PersonOut): number => {
    const known = name.toLowerCase()
    if (known.startsWith(wanted)) return 0
    if (known.split(/[\s·-]+/).some((word) => word.startsWith(wanted))) return 1
    return known.includes(wanted) ? 2 : 3
  }
  return people
    .map((person) => ({ person, rank: rank(person) }))
    .filter((each) => each.rank < 3)
    .sort((a, b) => a.rank - b.rank || b.person.faces - a.person.faces)
    .slice(0, MOST_OFFERED)
    .map(({ person }) => person)
}
