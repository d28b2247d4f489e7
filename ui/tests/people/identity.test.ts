import { describe, expect, it } from 'vitest'

import { texts } from '../../src/lib/i18n'
import { spelled } from '../../src/lib/pinyin'
import { asks, certainty, describe as words, knownFrom, matches, tagOf } from '../../src/people/identity'
import { face, image } from '../fixtures'

const t = texts('en')
const mei = face([0, 0, 9, 9], { person: 'Mei', person_id: 1, certainty: 'confirmed' })
const perhaps = face([0, 0, 9, 9], { person: 'Lin', person_id: 2, certainty: 'probable', agree: 2, references: 3 })

describe('a face', () => {
  it('asks for a name only while recognition is on', () => {
    expect(asks(face(), true)).toBe(true)
    expect(asks(face(), false)).toBe(false)
    expect(asks(mei, true)).toBe(false)
    expect(asks(perhaps, true)).toBe(true)
    expect(asks(face([0, 0, 9, 9], { ignored: true }), true)).toBe(false)
  })

  it('is named with as much doubt as there is', () => {
    expect(tagOf(mei, true, t)).toBe('Mei')
    expect(tagOf(perhaps, true, t)).toBe('Lin?')
    expect(tagOf(face(), true, t)).toBe('Who?')
    expect(tagOf(face(), false, t)).toBeNull()
    expect(tagOf(face([0, 0, 9, 9], { ignored: true }), true, t)).toBeNull()
    expect(certainty(perhaps, t)).toBe('Suggested, like 2 of 3')
  })
})

describe('a photo', () => {
  it('is described for those who hear it', () => {
    expect(words(image(7, { faces: [mei, face()] }), t)).toBe('Photo 7.jpg: 2 faces, with Mei')
    expect(words(image(7), t)).toBe('Photo 7.jpg: No face found')
  })
})

describe('a person in a list', () => {
  it('is known from photos, or from reference photos alone', () => {
    expect(knownFrom({ photos: 5, suggested: 2, references: 1 }, t)).toBe('3 photos')
    expect(knownFrom({ photos: 0, suggested: 0, references: 1 }, t)).toBe('1 reference photo')
    expect(knownFrom({ photos: 2, suggested: 2, references: 0 }, t)).toBe('0 photos')
  })
})

describe('the people offered for what was typed', () => {
  const people = [
    { id: 1, name: 'Joanna', faces: 2, portrait: null },
    { id: 2, name: 'Mei Lin', faces: 9, portrait: null },
    { id: 3, name: 'Linus', faces: 1, portrait: null },
    { id: 4, name: 'Colin', faces: 30, portrait: null },
    { id: 5, name: '林悦', faces: 4, portrait: null },
  ]
  const offered = (typed: string): string[] => matches(people, typed).map(({ name }) => name)

  it('begin with it, or have a word that does, or hold it', () => {
    expect(offered('LIN')).toEqual(['Linus', 'Mei Lin', 'Colin'])
    expect(offered('悦')).toEqual(['林悦'])
    expect(offered('x')).toEqual([])
  })

  it('are spelled so, once it is known how', () => {
    expect(matches(people, 'ly').map(({ name }) => name)).toEqual([])
    expect(matches(people, 'ly', spelled).map(({ name }) => name)).toEqual(['林悦'])
    expect(matches(people, 'lin', spelled).map(({ name }) => name)).toEqual(['Linus', 'Mei Lin', '林悦', 'Colin'])
  })

  it('are those seen most while nothing was typed', () => {
    expect(offered(' ')).toEqual(['Colin', 'Mei Lin', '林悦', 'Joanna', 'Linus'])
  })
})
