/** Who a face is, in words no more certain than the match. */

import type { FaceOut, FaceRef, ImageOut, PersonOut } from '../api/types'
import type { Texts } from '../lib/i18n'

/** Whether a face asks the user for an answer; nothing is asked while recognition is off. */
export function asks(face: FaceOut, recognition: boolean): boolean {
  return recognition && !face.ignored && (face.person === null || face.certainty === 'probable')
}

/** Text of a face's tag; null if there is nothing to say. */
export function tagOf(face: FaceOut, recognition: boolean, t: Texts): string | null {
  if (!recognition) return null
  if (face.ignored && face.person === null) return null
  if (face.person === null) return t('ui.people.who')
  return face.certainty === 'probable' ? t('ui.people.probably_name', { name: face.person }) : face.person
}

/** On so many photos the user confirmed them. */
export function confirmedPhotos({ photos, suggested }: Pick<PersonOut, 'photos' | 'suggested'>): number {
  return photos - suggested
}

/** "2 faces moved, 3 suggested": what is confirmed and what is suggested are counted apart everywhere. */
export function withSuggested(said: string, suggested: number, t: Texts): string {
  return suggested > 0 ? [said, t('people_page.suggested', { count: suggested })].join(t('ui.clause_separator')) : said
}

/** Where the user confirmed them: on how many photos, or on reference photos alone, which are none of the library. */
export function knownFrom(person: Pick<PersonOut, 'photos' | 'suggested' | 'references'>, t: Texts): string {
  const photos = confirmedPhotos(person)
  return photos === 0 && person.references > 0 ? t('ui.people.references', { count: person.references }) : t('ui.library.photos', { count: photos })
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
  const names = [...new Set(image.faces.flatMap((face) => (face.person === null ? [] : [tagOf(face, true, t) ?? face.person])))]
  const faces = image.faces.length === 0 ? t('ui.no_face.title') : t('ui.faces', { count: image.faces.length })
  return names.length > 0
    ? t('ui.photo_alt_names', { name: image.name, faces, names: names.join(t('ui.list_separator')) })
    : t('ui.photo_alt', { name: image.name, faces })
}

/** The photo a face is cut from. */
export function photoOf({ image_id, width, height }: Pick<FaceRef, 'image_id' | 'width' | 'height'>): Pick<ImageOut, 'id' | 'width' | 'height'> {
  return { id: image_id, width, height }
}

/** So many people are offered for what was typed. */
const MOST_OFFERED = 5

/** How well a name is spelled by what was typed: 1 from its beginning, 2 from a later word, 3 not. */
export type Spelled = (name: string, typed: string) => number

/** How well a name fits: 0 begins so, 1 has a word that does or is spelled so, 2 holds it, 3 not at all. */
export function fits(name: string, typed: string, spelled: Spelled | null): number {
  const known = name.toLowerCase()
  if (known.startsWith(typed)) return 0
  if (known.split(/[\s·-]+/).some((word) => word.startsWith(typed))) return 1
  return Math.min(spelled?.(name, typed) ?? 3, known.includes(typed) ? 2 : 3)
}

/** The known people for what was typed, those seen most if nothing was; the best fit first, then those seen most. */
export function matches<P extends Pick<PersonOut, 'name' | 'faces'>>(
  people: readonly P[],
  typed: string,
  spelled: Spelled | null = null,
  most = MOST_OFFERED,
): readonly P[] {
  const wanted = typed.trim().toLowerCase()
  if (wanted === '') return [...people].sort((a, b) => b.faces - a.faces).slice(0, most)
  return people
    .map((person) => ({ person, rank: fits(person.name, wanted, spelled) }))
    .filter((each) => each.rank < 3)
    .sort((a, b) => a.rank - b.rank || b.person.faces - a.person.faces)
    .slice(0, most)
    .map(({ person }) => person)
}
