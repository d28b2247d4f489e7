import { describe, expect, it } from 'vitest'

import { texts } from '../src/i18n'
import { asks, certainty, describe as words, tagOf } from '../src/lib/people'
import { face, image } from './fixtures'

const t = texts('en')
const mei = face([0, 0, 9, 9], { person: 'Mei', person_id: 1, certainty: 'confirmed' })
const perhaps = face([0, 0, 9, 9], { person: 'Lin', person_id: 2, certainty: 'probable', agree: 2, references: 3 })

describe('a face', () => {
  it('asks for a name only while recognition is on', () => {
    expect(asks(face(), true)).toBe(true)
    expect(asks(face(), false)).toBe(false)
    expect(asks(mei, true)).toBe(false)
    expect(asks(perhaps, true)).toBe(true)
  })

  it('is named with as much doubt as there is', () => {
    expect(tagOf(mei, true, t)).toBe('Mei')
    expect(tagOf(perhaps, true, t)).toBe('Lin?')
    expect(tagOf(face(), true, t)).toBe('Who?')
    expect(tagOf(face(), false, t)).toBeNull()
    expect(certainty(perhaps, t)).toBe('Probably, 2 of 3 agree')
  })
})

describe('a photo', () => {
  it('is described for those who hear it', () => {
    expect(words(image(7, { faces: [mei, face()] }), t)).toBe('Photo 7.jpg: 2 faces, with Mei')
    expect(words(image(7), t)).toBe('Photo 7.jpg: No face found')
  })
})
